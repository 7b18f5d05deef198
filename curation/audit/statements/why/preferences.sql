select
    'standardize@' || source as stage,
    'kept' as verdict,
    pair_id as item,
    concat_ws(
        ', ',
        'a labelled pair',
        'margin ' || round(margin, 4),
        turns || ' turns',
        'chosen ' || chosen_chars || ' characters',
        'rejected ' || rejected_chars
    ) as detail
from preferences where pair_id in (select unnest($pairs))
