-- The chosen response has the higher adjusted reward, by the margin.
select
    pair_id,
    chosen_adjusted,
    rejected_adjusted,
    margin
from this
where
    not (chosen_adjusted > rejected_adjusted)
    or abs(margin - (chosen_adjusted - rejected_adjusted)) > 1e-9
