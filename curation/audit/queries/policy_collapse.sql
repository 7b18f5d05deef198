-- Distinct responses per prompt by iteration: a falling share means a
-- collapsing policy.
with per_prompt as (
    select
        iteration,
        prompt_id,
        count(*) as responses,
        count(distinct md5_number_lower(response)) as distinct_responses
    from generations
    group by iteration, prompt_id
)

select
    iteration,
    count(*) as prompts,
    round(avg(distinct_responses / responses), 4) as distinct_share,
    round(avg(distinct_responses), 2) as distinct_per_prompt,
    round(avg((distinct_responses = 1)::int), 4) as all_the_same
from per_prompt
group by iteration
order by iteration
