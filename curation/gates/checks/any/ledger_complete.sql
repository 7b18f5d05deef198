-- Every reject names its stage, its rule and the item it dropped, as JSON.
-- views: rejects
select
    stage,
    item_id,
    rule
from rejects
where
    stage = ''
    or item_id = ''
    or rule = ''
    or not json_valid(payload)
