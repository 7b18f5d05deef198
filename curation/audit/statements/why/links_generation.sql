select
    'prompt' as kind,
    prompt_id as id
from generations
where generation_id = $id
union
select
    'prompt' as kind,
    prompt_id
from evaluation_generations where generation_id = $id
union
select
    'pair' as kind,
    pair_id
from pairs where chosen_id = $id or rejected_id = $id
