-- A reward is finite, or null with a reason.
-- views: scores
select
    generation_id,
    judge,
    reward,
    reason
from scores
where
    not isfinite(reward)
    or (reward is null) <> (reason is not null)
