-- Every pair's prompt is a training prompt of the pool, word for word.
-- views: prompts
select
    this.pair_id,
    this.prompt_id
from this
left join prompts on this.prompt_id = prompts.prompt_id
where
    coalesce(prompts.split <> 'train', true)
    or prompts.messages <> this.prompt
