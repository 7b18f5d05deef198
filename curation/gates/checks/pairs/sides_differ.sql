-- The chosen and the rejected response of a pair differ.
select
    pair_id,
    chosen_id,
    rejected_id
from this
where chosen = rejected or chosen_id = rejected_id
