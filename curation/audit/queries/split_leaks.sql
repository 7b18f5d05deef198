-- Held-out prompts that occur in training data: every count must be zero.
with held_out as (
    select prompt_id from prompts where split = 'eval'
)

select
    'history' as table_name,
    count(*) as leaked
from history
semi join held_out on history.prompt_id = held_out.prompt_id
union all
select
    'generations' as table_name,
    count(*) as leaked
from generations
semi join held_out on generations.prompt_id = held_out.prompt_id
order by table_name
