-- What each policy was trained on: pairs by the iteration that made them.
select
    trains,
    origin,
    count(*) as pairs,
    round(sum(weight), 2) as total_weight,
    round(avg(margin), 4) as mean_margin
from history
group by trains, origin
order by trains, origin
