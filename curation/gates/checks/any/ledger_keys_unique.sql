-- No item is dropped twice by one stage.
-- views: rejects
select
    stage,
    item_id,
    count(*) as copies
from rejects
group by stage, item_id
having count(*) > 1
