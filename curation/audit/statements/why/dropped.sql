select
    item_id,
    payload
from rejects
where item_id in (select unnest($rejects))
order by item_id
limit 3
