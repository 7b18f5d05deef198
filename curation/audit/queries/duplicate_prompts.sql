-- Prompts that occur in more than one preference source.
select
    prompt_id,
    count(distinct source) as sources,
    count(*) as pairs,
    string_agg(distinct source, ', ' order by source) as where_found,
    any_value(last_text(prompt)) as prompt
from preferences
group by prompt_id
having count(distinct source) > 1
order by pairs desc, prompt_id asc
