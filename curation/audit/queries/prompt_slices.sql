-- Prompts of the pool by split and source, with their mean length.
select
    split,
    source,
    count(*) as prompts,
    round(avg(n_chars), 1) as mean_chars,
    round(avg(n_tokens), 1) as mean_tokens,
    count(distinct cluster) as clusters
from prompts
group by split, source
order by split, source
