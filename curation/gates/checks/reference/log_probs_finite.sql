-- Every log-probability is finite, not above zero, and not above its own part.
select
    pair_id,
    ref_chosen_logps,
    ref_chosen_shared_logps,
    ref_rejected_logps,
    ref_rejected_shared_logps
from this
where
    not (isfinite(ref_chosen_logps) and ref_chosen_shared_logps <= 0)
    or not (isfinite(ref_rejected_logps) and ref_rejected_shared_logps <= 0)
    or not ref_chosen_logps <= ref_chosen_shared_logps
    or not ref_rejected_logps <= ref_rejected_shared_logps
