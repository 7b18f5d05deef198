-- What entered each curation stage by source, what each rule dropped, what
-- came out.
with dropped as (
    select
        stage,
        source,
        rule,
        count(*) as dropped
    from rejects
    where
        not starts_with(stage, 'pair@')
        and not starts_with(stage, 'generate@')
        and not starts_with(stage, 'history@')
    group by stage, source, rule
),

totals as (
    select
        stage,
        source,
        sum(dropped)::bigint as dropped
    from dropped
    group by stage, source
),

steps as (
    select
        coalesce(k.stage, t.stage) as stage,
        coalesce(k.source, t.source) as source,
        coalesce(k.kept, 0) as kept,
        coalesce(t.dropped, 0) as dropped
    from kept_rows as k
    full join totals as t on k.stage = t.stage and k.source = t.source
)

select
    s.stage,
    s.source,
    s.kept + s.dropped as entered,
    d.rule,
    coalesce(d.dropped, 0) as dropped,
    s.kept
from steps as s
left join dropped as d on s.stage = d.stage and s.source = d.source
order by s.stage asc, s.source asc, d.dropped desc, d.rule asc
