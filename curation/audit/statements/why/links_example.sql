select
    'row' as kind,
    source_row as id
from sft where example_id = $id
union
select
    'reject' as kind,
    item_id
from rejects
where is_dropped(stage, item_id, 'example', $id)
