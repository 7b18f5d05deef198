select
    'history@' || trains as stage,
    'kept' as verdict,
    pair_id as item,
    'made in ' || origin || ', weight ' || weight as detail
from history where pair_id in (select unnest($pairs)) order by trains, item
