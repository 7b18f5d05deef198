-- Pairs of each history without stored reference log-probabilities: all must be
-- zero.
with r as (
    select distinct
        trains,
        pair_id
    from reference
)

select
    h.trains,
    count(*) as pairs,
    count(r.pair_id) as with_reference,
    count(*) - count(r.pair_id) as missing
from history as h
left join r
    on h.trains = r.trains and h.pair_id = r.pair_id
group by h.trains
order by h.trains
