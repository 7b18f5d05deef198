-- A prompt holds known roles only and ends with a user's message.
select
    prompt_id,
    list_transform(messages, lambda turn: turn.role) as found_roles
from this
where
    len(messages) = 0
    or messages[-1].role <> 'user'
    or trim(messages[-1].content) = ''
    or len(list_filter(
        messages,
        lambda turn: turn.role not in ('system', 'user', 'assistant')
    )) > 0
