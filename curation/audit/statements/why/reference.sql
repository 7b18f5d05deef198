select
    'reference@' || trains as stage,
    'computed' as verdict,
    pair_id as item,
    concat_ws(
        ', ',
        'under ' || reference_sha[:12],
        'chosen ' || round(ref_chosen_logps, 3),
        'rejected ' || round(ref_rejected_logps, 3)
    ) as detail
from reference where pair_id in (select unnest($pairs)) order by trains, item
