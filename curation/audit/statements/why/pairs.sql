select
    'pair@' || iteration as stage,
    'kept' as verdict,
    pair_id as item,
    concat_ws(
        ', ', strategy, 'margin ' || round(margin, 4),
        'rewards '
        || round(chosen_reward, 4)
        || ' over '
        || round(rejected_reward, 4),
        nullif(array_to_string(flags, ' '), '')
    ) as detail
from pairs where pair_id in (select unnest($pairs)) order by stage, item
