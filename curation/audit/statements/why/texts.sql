select
    prompt,
    chosen,
    rejected
from preferences
where pair_id in (select unnest($pairs))
union all
select
    prompt,
    chosen,
    rejected
from pairs
where pair_id in (select unnest($pairs))
