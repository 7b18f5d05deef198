select
    'row' as kind,
    split_part(item_id, ':', 2) as id
from rejects where item_id = $id and is_native(item_id)
union
select
    key_kind(stage) as kind,
    split_part(item_id, ':', 2) as id
from rejects where item_id = $id and is_keyed(item_id)
