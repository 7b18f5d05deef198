-- Mean log-probability of both sides under the reference policy, by iteration
-- of origin.
select
    h.trains,
    h.origin,
    count(*) as pairs,
    round(avg(r.ref_chosen_logps), 3) as chosen_logps,
    round(avg(r.ref_rejected_logps), 3) as rejected_logps,
    round(
        avg((r.ref_chosen_logps > r.ref_rejected_logps)::int), 4
    ) as prefers_chosen
from history as h
inner join reference as r
    on h.trains = r.trains and h.pair_id = r.pair_id
group by h.trains, h.origin
order by h.trains, h.origin
