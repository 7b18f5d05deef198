-- For each training pair of each policy, the policy and judge behind it.
select
    h.trains,
    h.origin,
    c.policy as sampled_from,
    c.judge,
    count(*) as pairs
from history as h
inner join pairs as p on h.pair_id = p.pair_id
inner join responses as c on p.chosen_id = c.generation_id
group by h.trains, h.origin, c.policy, c.judge
order by h.trains, h.origin, sampled_from, c.judge
