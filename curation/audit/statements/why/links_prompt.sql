select
    'row' as kind,
    source_row as id
from prompt_source where prompt_id = $id
union
select
    'reject' as kind,
    item_id
from rejects
where is_dropped(stage, item_id, 'prompt', $id)
union
select
    'pair' as kind,
    pair_id
from pairs where prompt_id = $id
union
select
    'pair' as kind,
    pair_id
from preferences where prompt_id = $id
