select
    origin,
    count(*) as pairs
from history
where trains = $policy
group by origin
order by origin
