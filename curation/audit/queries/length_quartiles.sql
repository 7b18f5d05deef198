-- Quartiles of response length in every table, by where the text came from.
with cut as (
    select
        table_name,
        origin,
        side,
        count(*) as texts,
        quantile_cont(n_chars, [0.25, 0.5, 0.75, 0.95]) as q
    from lengths
    group by table_name, origin, side
)

select
    table_name,
    origin,
    side,
    texts,
    q[1] as p25,
    q[2] as p50,
    q[3] as p75,
    q[4] as p95
from cut
order by table_name, origin, side
