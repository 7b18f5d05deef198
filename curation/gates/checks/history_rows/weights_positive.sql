-- Every pair has a finite weight above zero.
select
    pair_id,
    weight
from this
where not (weight > 0 and isfinite(weight))
