-- Reward and length of the sampled responses by iteration and temperature.
select
    iteration,
    temperature,
    judge,
    count(*) as responses,
    round(avg(reward), 4) as mean_reward,
    round(stddev_samp(reward), 4) as sd,
    round(avg(n_chars), 2) as mean_chars
from responses
where reward is not null
group by iteration, temperature, judge
order by iteration, temperature, judge
