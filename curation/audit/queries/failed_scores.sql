-- Responses whose judgement failed, by judge and reason.
select
    iteration,
    judge,
    reason,
    count(*) as failed
from responses
where judge is not null and reward is null
group by iteration, judge, reason
order by failed desc, iteration asc, judge asc, reason asc
