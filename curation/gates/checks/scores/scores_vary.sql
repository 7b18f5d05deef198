-- A judge that gives every response the same reward is broken.
select
    judge,
    min(reward) as reward,
    count(*) as responses
from this
group by judge
having count(reward) > 1 and min(reward) = max(reward)
