-- A conversation holds known roles only and ends with an answer.
select
    example_id,
    list_transform(messages, lambda turn: turn.role) as found_roles
from this
where
    len(messages) = 0
    or messages[-1].role <> 'assistant'
    or trim(messages[-1].content) = ''
    or len(list_filter(
        messages,
        lambda turn: turn.role not in ('system', 'user', 'assistant')
    )) > 0
