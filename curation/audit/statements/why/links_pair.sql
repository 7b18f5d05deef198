select
    'row' as kind,
    source_row as id
from preferences where pair_id = $id
union
select
    'prompt' as kind,
    prompt_id
from pairs where pair_id = $id
union
select
    'generation' as kind,
    unnest([chosen_id, rejected_id]) as id
from pairs
where pair_id = $id
union
select
    'pair' as kind,
    unnest([pair_id, other_id]) as id
from reviews
where $id in (pair_id, other_id)
union
select
    'prompt' as kind,
    prompt_id
from reviews where $id in (pair_id, other_id)
union
select
    'reject' as kind,
    item_id
from rejects
where is_dropped(stage, item_id, 'pair', $id)
