select
    'standardize@' || source as stage,
    'kept' as verdict,
    prompt_id as item,
    'a prompt of ' || n_chars || ' characters' as detail
from prompt_source
where
    prompt_id in (select unnest($prompts))
    -- a labelled pair has a line of its own
    and not exists (
        select * from preferences where pair_id in (select unnest($pairs))
    )
order by stage
