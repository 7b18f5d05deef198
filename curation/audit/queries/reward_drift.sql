-- Mean, spread and best-of-n of the judge's reward by iteration and judge.
with per_prompt as (
    select
        iteration,
        judge,
        prompt_id,
        count(reward) as responses,
        avg(reward) as reward,
        stddev_samp(reward) as spread,
        max(reward) as best
    from responses
    where judge is not null
    group by iteration, judge, prompt_id
)

select
    iteration,
    judge,
    count(*) as prompts,
    sum(responses)::bigint as responses,
    round(avg(reward), 4) as mean_reward,
    round(avg(spread), 4) as within_prompt_sd,
    round(avg(best), 4) as best_of_n
from per_prompt
group by iteration, judge
order by iteration, judge
