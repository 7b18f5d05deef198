select
    key,
    text as value
from metrics
where file = $file
order by key
