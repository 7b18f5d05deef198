-- A prompt holds known roles only and ends with a user's message.
select
    pair_id,
    list_transform(prompt, lambda turn: turn.role) as found_roles
from this
where
    len(prompt) = 0
    or prompt[-1].role <> 'user'
    or trim(prompt[-1].content) = ''
    or len(list_filter(
        prompt,
        lambda turn: turn.role not in ('system', 'user', 'assistant')
    )) > 0
