-- The stored lengths are those of the texts.
select
    pair_id,
    chosen_chars,
    rejected_chars
from this
where
    chosen_chars <> length(chosen[1].content)
    or rejected_chars <> length(rejected[1].content)
