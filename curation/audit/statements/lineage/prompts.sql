select
    p.source,
    count(*) as prompts
from prompts as p
where
    p.prompt_id in (
        select g.prompt_id from generations as g where g.iteration = $iteration
    )
group by p.source
order by p.source
