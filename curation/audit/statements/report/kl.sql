select
    split_part(file, '/', 2) as policy,
    key,
    value
from metrics
where starts_with(file, 'evaluation/') and starts_with(key, 'kl')
order by policy, key
