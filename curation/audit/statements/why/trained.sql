select
    'dpo@' || trains as stage,
    'trained on' as verdict,
    pair_id as item,
    'checkpoint ' || trains as detail
from history
where pair_id in (select unnest($pairs)) and trains != 'sft'
order by trains, item
