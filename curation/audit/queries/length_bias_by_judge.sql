-- Mean within-prompt Pearson correlation in the length-bias study, by mix.
with per_prompt as (
    select
        mix,
        judge,
        prompt_id,
        pearson(reward, n_chars) as r
    from length_bias
    group by mix, judge, prompt_id
)

select
    mix,
    judge,
    count(r) as prompts,
    round(avg(r), 4) as mean_r,
    round(stddev_samp(r) / sqrt(count(r)), 4) as standard_error
from per_prompt
group by mix, judge
order by mix, judge
