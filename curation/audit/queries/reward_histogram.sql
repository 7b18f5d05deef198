-- Sampled responses of each iteration by reward, in 20 equal bins.
with bounds as (
    select
        iteration,
        judge,
        min(reward) as low,
        (max(reward) - min(reward)) / 20 as width
    from scores
    where reward is not null
    group by iteration, judge
    having max(reward) > min(reward)
),

placed as (
    select
        r.iteration,
        r.judge,
        b.low,
        b.width,
        least(floor((r.reward - b.low) / b.width), 19)::int as bin
    from scores as r
    inner join bounds as b
        on r.iteration = b.iteration and r.judge = b.judge
    where r.reward is not null
)

select
    iteration,
    judge,
    round(any_value(low + bin * width), 4) as bin_start,
    round(any_value(low + (bin + 1) * width), 4) as bin_end,
    count(*) as responses
from placed
group by iteration, judge, bin
order by iteration, judge, bin_start
