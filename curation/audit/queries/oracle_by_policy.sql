-- Mean oracle reward of every evaluated policy, its standard error over
-- prompts.
select
    evaluated as policy,
    round(avg(reward), 6) as oracle_reward,
    round(stddev_samp(reward) / sqrt(count(*)), 6) as standard_error,
    count(*) as prompts,
    sum(responses)::bigint as responses
from duels
group by evaluated
order by oracle_reward, policy
