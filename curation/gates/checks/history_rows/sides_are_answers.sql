-- Each side is one assistant message.
select
    pair_id,
    origin
from this
where
    len(chosen) <> 1
    or len(rejected) <> 1
    or chosen[1].role <> 'assistant'
    or rejected[1].role <> 'assistant'
