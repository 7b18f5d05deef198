select
    'generate@' || iteration as stage,
    'sampled' as verdict,
    prompt_id as item,
    count(*) || ' responses from ' || any_value(policy) as detail
from generations
where prompt_id in (select unnest($prompts)) and len($generations) = 0
group by iteration, prompt_id order by stage
