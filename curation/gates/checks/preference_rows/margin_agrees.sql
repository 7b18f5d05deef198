-- A margin is chosen less rejected score and above zero, where scores exist.
select
    pair_id,
    chosen_score,
    rejected_score,
    margin
from this
where
    margin <= 0
    or (margin is null) <> (chosen_score is null or rejected_score is null)
    or abs(margin - (chosen_score - rejected_score)) > 1e-9
