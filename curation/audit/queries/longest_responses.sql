-- The longest sampled responses of each iteration.
with longest as (
    select
        iteration,
        generation_id
    from generations
    qualify
        row_number() over (
            partition by iteration order by n_chars desc, generation_id asc
        ) <= 10
)

select
    g.iteration,
    g.generation_id,
    g.n_chars,
    g.n_tokens,
    g.finish_reason,
    g.response
from generations as g
inner join longest as l
    on g.iteration = l.iteration and g.generation_id = l.generation_id
order by g.iteration asc, g.n_chars desc, g.generation_id asc
