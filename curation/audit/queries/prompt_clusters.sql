-- Clusters of the prompt map: size, main source and an example.
with sized as (
    select
        cluster,
        source,
        count(*) as prompts,
        min_by(last_text(messages), prompt_id) as example
    from prompts
    group by cluster, source
)

select
    cluster,
    sum(prompts)::bigint as prompts,
    max_by(source, prompts) as main_source,
    max_by(example, prompts) as example
from sized
group by cluster
order by prompts desc, cluster asc
