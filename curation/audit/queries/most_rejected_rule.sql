-- Rules by the number of rows they dropped in the whole build, largest first.
select
    rule,
    count(*) as dropped,
    count(distinct source) as sources,
    count(distinct stage) as stages,
    min(detail) as example
from rejects
group by rule
order by dropped desc, rule asc
