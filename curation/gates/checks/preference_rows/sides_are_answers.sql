-- Each side is one assistant message that is not blank.
with sides as (
    select
        pair_id,
        chosen as response
    from this
    union all
    select
        pair_id,
        rejected as response
    from this
)

select
    pair_id,
    response
from sides
where
    len(response) <> 1
    or response[1].role <> 'assistant'
    or trim(response[1].content) = ''
