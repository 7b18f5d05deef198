-- Mean within-prompt Pearson correlation of reward and length by iteration.
with per_prompt as (
    select
        iteration,
        judge,
        prompt_id,
        pearson(reward, n_chars) as r
    from responses
    where reward is not null
    group by iteration, judge, prompt_id
)

select
    iteration,
    judge,
    count(r) as prompts,
    round(avg(r), 4) as mean_r,
    round(stddev_samp(r) / sqrt(count(r)), 4) as standard_error,
    round(avg((r > 0)::int), 4) as positive_share
from per_prompt
group by iteration, judge
order by iteration, judge
