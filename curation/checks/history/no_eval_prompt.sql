-- No pair that a policy is trained on has a held-out prompt.
-- views: prompts
select
    this.pair_id,
    this.prompt_id
from this
inner join prompts on this.prompt_id = prompts.prompt_id
where prompts.split = 'eval'
