select
    stage,
    'dropped' as verdict,
    item_id as item,
    concat_ws(': ', rule, nullif(detail, '')) as detail
from rejects
where
    item_id in (select unnest($rejects)) or item_id in (select unnest($pairs))
    or item_id in (select unnest($prompts))
    or item_id in (select unnest($generations))
    or item_id in (select unnest($examples))
order by stage, item
