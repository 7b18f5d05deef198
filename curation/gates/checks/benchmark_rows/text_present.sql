-- A benchmark item has a text.
select
    item_id,
    benchmark
from this
where trim(text) = ''
