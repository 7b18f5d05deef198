-- Prompts of the pool that no iteration and no evaluation has sampled, by
-- split.
with used as (
    select prompt_id from generations
    union
    select prompt_id from evaluation_generations
)

select
    prompts.split,
    prompts.source,
    count(*) as prompts,
    count(used.prompt_id) as sampled,
    count(*) - count(used.prompt_id) as never_sampled
from prompts
left join used on prompts.prompt_id = used.prompt_id
group by prompts.split, prompts.source
order by prompts.split, prompts.source
