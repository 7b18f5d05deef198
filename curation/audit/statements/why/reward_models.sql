select
    'reward_model@' || mix as stage,
    'trained on' as verdict,
    pair_id as item,
    'checkpoint reward_models/' || mix as detail
from mixes
where pair_id in (select unnest($pairs)) and split = 'train' order by mix, item
