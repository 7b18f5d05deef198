-- The longest sampled responses of each iteration.
select
    iteration,
    generation_id,
    n_chars,
    n_tokens,
    finish_reason,
    response
from generations
qualify
    row_number() over (
        partition by iteration order by n_chars desc, generation_id asc
    ) <= 10
order by iteration asc, n_chars desc, generation_id asc
