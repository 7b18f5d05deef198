-- Flags on sampled pairs by iteration.
select
    iteration,
    unnest(flags) as flag,
    count(*) as pairs
from pairs
group by iteration, flag
order by iteration asc, pairs desc, flag asc
