select
    'mix@' || mix as stage,
    'kept' as verdict,
    pair_id as item,
    split as detail
from mixes where pair_id in (select unnest($pairs)) order by stage, item
