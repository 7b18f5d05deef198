-- The chosen and the rejected response of a pair differ.
select pair_id
from this
where chosen = rejected
