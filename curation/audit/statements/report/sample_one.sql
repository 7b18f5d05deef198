select
    'iteration' as kind,
    iteration as origin,
    pair_id
from pairs
where iteration = $iteration
order by sha256(concat('report:', $seed::varchar, ':', pair_id))
limit $shown
