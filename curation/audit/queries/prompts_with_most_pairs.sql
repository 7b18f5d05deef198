-- The prompts with the most labelled comparisons.
select
    prompt_id,
    source,
    count(*) as pairs,
    any_value(last_text(prompt)) as prompt
from preferences
group by prompt_id, source
order by pairs desc, prompt_id asc
limit 50
