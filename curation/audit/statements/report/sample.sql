with pool as (
    select
        'iteration' as kind,
        iteration as origin,
        pair_id
    from pairs
    union all
    select distinct
        'source' as kind,
        source as origin,
        pair_id
    from mixes
),

keyed as (
    select
        *,
        sha256(concat('report:', $seed::varchar, ':', pair_id)) as place
    from pool
),

ranked as (
    select
        *,
        row_number() over (partition by kind, origin order by place) as turn
    from keyed
)

select
    kind,
    origin,
    pair_id
from ranked
order by turn, place, kind, origin
limit $shown
