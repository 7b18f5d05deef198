-- A source's table holds one source.
select
    min(source) as one_source,
    max(source) as other_source
from this
having min(source) <> max(source)
