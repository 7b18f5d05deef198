-- The chosen response is better by the margin, or a reviewer turned the pair.
select
    pair_id,
    chosen_adjusted,
    rejected_adjusted,
    margin
from this
where
    (chosen_adjusted > rejected_adjusted)
    = list_contains(flags, 'review_flipped')
    or abs(margin - (chosen_adjusted - rejected_adjusted)) > 1e-9
