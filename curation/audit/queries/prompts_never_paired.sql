-- Sampled prompts that gave no pair, with the rule that says why.
with sampled as (
    select distinct
        iteration,
        prompt_id
    from generations
),

reasons as (
    select
        split_part(stage, '@', 2) as iteration,
        item_id as prompt_id,
        any_value(rule) as rule,
        any_value(detail) as detail
    from rejects
    where starts_with(stage, 'pair@')
    group by all
)

select
    sampled.iteration,
    sampled.prompt_id,
    coalesce(reasons.rule, 'no reject on record') as rule,
    reasons.detail
from sampled
anti join pairs
    on
        sampled.iteration = pairs.iteration
        and sampled.prompt_id = pairs.prompt_id
left join reasons
    on
        sampled.iteration = reasons.iteration
        and sampled.prompt_id = reasons.prompt_id
order by sampled.iteration, rule, sampled.prompt_id
