select
    stage,
    source,
    rule,
    count(*) as dropped
from rejects
group by stage, source, rule
order by stage asc, source asc, dropped desc, rule asc
