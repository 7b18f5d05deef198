select
    'generate@' || iteration as stage,
    'sampled' as verdict,
    generation_id as item,
    concat_ws(
        ', ', 'from ' || policy || ' ' || policy_sha[:12], 'sample ' || sample,
        'seed ' || seed, 'temperature ' || temperature, finish_reason,
        engine || ' ' || engine_version
    ) as detail
from generations where generation_id in (select unnest($generations))
union all
select
    'evaluate@' || evaluated as stage,
    'sampled' as verdict,
    generation_id,
    concat_ws(
        ', ', 'from ' || policy || ' ' || policy_sha[:12], 'sample ' || sample,
        'seed ' || seed, 'temperature ' || temperature, finish_reason
    ) as detail
from evaluation_generations where generation_id in (select unnest($generations))
