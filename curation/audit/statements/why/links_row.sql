select
    'pair' as kind,
    pair_id as id
from preferences
where is_row(source_row, $id)
union
select
    'example' as kind,
    example_id
from sft where source_row = $id
union
select
    'prompt' as kind,
    prompt_id
from prompt_source where source_row = $id
union
select
    'reject' as kind,
    item_id
from rejects
where is_row(split_part(item_id, ':', 2), $id)
