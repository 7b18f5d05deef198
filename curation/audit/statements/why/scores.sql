select
    'score@' || iteration as stage,
    if(reward is null, 'failed', 'scored') as verdict,
    generation_id as item,
    concat_ws(
        ', ', judge || ' ' || judge_sha[:12], round(reward, 4)::varchar, reason
    ) as detail
from scores where generation_id in (select unnest($generations))
union all
select
    'evaluate@' || evaluated as stage,
    if(reward is null, 'failed', 'scored') as verdict,
    generation_id,
    concat_ws(', ', judge, round(reward, 4)::varchar, reason) as detail
from evaluation_scores where generation_id in (select unnest($generations))
