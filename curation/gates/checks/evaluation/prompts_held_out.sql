-- Every response answers a held-out prompt.
-- views: prompts
select
    this.generation_id,
    this.prompt_id
from this
left join prompts on this.prompt_id = prompts.prompt_id
where coalesce(prompts.split <> 'eval', true)
