-- The chosen response has the higher adjusted reward, by the margin, unless a
-- reviewer turned the pair round.
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
