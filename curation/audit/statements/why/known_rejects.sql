select
    'row' as kind,
    unnest(native_rows(split_part(item_id, ':', 2))) as id
from rejects where contains(item_id, $id) and is_native(item_id)
union
select
    key_kind(stage) as kind,
    split_part(item_id, ':', 2) as id
from rejects where contains(item_id, $id) and is_keyed(item_id)
union
select
    'reject' as kind,
    item_id
from rejects where starts_with(item_id, $id)
