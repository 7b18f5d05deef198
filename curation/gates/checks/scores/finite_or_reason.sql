-- A reward is finite, or null with a reason.
select
    generation_id,
    judge,
    reward,
    reason
from this
where
    not isfinite(reward)
    or (reward is null) <> (reason is not null)
