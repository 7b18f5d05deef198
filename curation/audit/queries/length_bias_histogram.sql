-- Prompts by their within-prompt correlation of reward and length, in bins of
-- 0.1.
with per_prompt as (
    select
        mix,
        judge,
        prompt_id,
        pearson(reward, n_chars) as r
    from length_bias
    group by mix, judge, prompt_id
),

bins as (
    select
        mix,
        judge,
        greatest(least(floor(r * 10), 9), -10) / 10 as bin
    from per_prompt
    where r is not null
)

select
    mix,
    judge,
    round(bin, 1) as bin_start,
    count(*) as prompts
from bins
group by mix, judge, bin
order by mix, judge, bin_start
