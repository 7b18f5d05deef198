-- Deciles of the margin of labelled comparisons by source, where scores exist.
with cut as (
    select
        source,
        count(*) as pairs,
        quantile_cont(margin, [0.1, 0.25, 0.5, 0.75, 0.9]) as q
    from preferences
    where margin is not null
    group by source
)

select
    source,
    pairs,
    round(q[1], 4) as p10,
    round(q[2], 4) as p25,
    round(q[3], 4) as p50,
    round(q[4], 4) as p75,
    round(q[5], 4) as p90
from cut
order by source
