-- Every response answers a prompt of the pool that is not held out.
-- views: prompts
select
    this.generation_id,
    this.prompt_id
from this
left join prompts on this.prompt_id = prompts.prompt_id
where coalesce(prompts.split <> 'train', true)
