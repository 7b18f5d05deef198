-- Prompts sampled, prompts paired and pairs made, by iteration.
with sampled as (
    select
        iteration,
        count(distinct prompt_id) as prompts,
        count(*) as responses
    from generations
    group by iteration
),

paired as (
    select
        iteration,
        count(distinct prompt_id) as prompts,
        count(*) as pairs
    from pairs
    group by iteration
)

select
    sampled.iteration,
    sampled.prompts,
    sampled.responses,
    coalesce(paired.prompts, 0) as paired_prompts,
    coalesce(paired.pairs, 0) as pairs,
    round(coalesce(paired.prompts, 0) / sampled.prompts, 4) as yield
from sampled
left join paired on sampled.iteration = paired.iteration
order by sampled.iteration
