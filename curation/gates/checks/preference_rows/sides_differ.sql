-- The chosen and the rejected response of a comparison differ.
select pair_id
from this
where chosen = rejected
