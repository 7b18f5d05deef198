-- The paper's data table for each mix: prompts, pairs and mean lengths by
-- source.
select
    mix,
    source,
    count(distinct prompt_id) as prompts,
    round(avg(prompt_tokens), 1) as prompt_tokens,
    round(avg(chosen_tokens), 1) as chosen_tokens,
    round(avg(rejected_tokens), 1) as rejected_tokens,
    any_value(annotator) as annotator,
    count(*) as pairs,
    round(avg((chosen_chars > rejected_chars)::int), 4) as chosen_longer,
    round(median(margin), 4) as median_margin,
    round(avg(turns), 2) as turns
from mixes
group by mix, source
order by mix, source
