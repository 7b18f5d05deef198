-- Every log-probability is finite and not above zero.
select
    pair_id,
    ref_chosen_logps,
    ref_rejected_logps
from this
where
    not (isfinite(ref_chosen_logps) and ref_chosen_logps <= 0)
    or not (isfinite(ref_rejected_logps) and ref_rejected_logps <= 0)
