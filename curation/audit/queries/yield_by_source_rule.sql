-- Rows dropped by source and rule, with each rule's share of the source's
-- drops.
with drops as (
    select
        source,
        stage,
        rule,
        count(*) as dropped
    from rejects
    group by source, stage, rule
)

select
    source,
    stage,
    rule,
    dropped,
    round(dropped / sum(dropped) over (partition by source), 4) as share
from drops
order by source asc, dropped desc, rule asc
