-- Items kept and dropped by standardize for each preference source.
with kept as (
    select
        source,
        count(*) as kept
    from preferences group by source
),

dropped as (
    select
        source,
        count(*) as dropped
    from rejects
    where starts_with(stage, 'standardize') or starts_with(stage, 'fetch')
    group by source
)

select
    kept.source,
    kept.kept,
    coalesce(dropped.dropped, 0) as dropped,
    round(
        coalesce(dropped.dropped, 0)
        / (kept.kept + coalesce(dropped.dropped, 0)), 4
    ) as drop_rate
from kept
left join dropped on kept.source = dropped.source
order by drop_rate desc, kept.source asc
