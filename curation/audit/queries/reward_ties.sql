-- Prompts whose best reward is shared by several responses, by iteration and
-- judge.
with ranked as (
    select
        iteration,
        judge,
        prompt_id,
        reward,
        max(reward) over (partition by iteration, judge, prompt_id) as best
    from responses
    where reward is not null
),

per_prompt as (
    select
        iteration,
        judge,
        prompt_id,
        count_if(reward = best) as at_best
    from ranked
    group by iteration, judge, prompt_id
)

select
    iteration,
    judge,
    count(*) as prompts,
    count_if(at_best > 1)::bigint as tied,
    round(avg((at_best > 1)::int), 4) as tied_share
from per_prompt
group by iteration, judge
order by iteration, judge
