-- Each evaluated policy under every judge: do judge and oracle part ways?
select
    evaluated as policy,
    judge,
    count(reward) as responses,
    count(*) - count(reward) as failed,
    round(avg(reward), 4) as mean_reward,
    round(stddev_samp(reward) / sqrt(count(reward)), 4) as standard_error
from evaluation_scores
group by evaluated, judge
order by judge, mean_reward
