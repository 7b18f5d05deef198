select
    'prompts' as stage,
    'kept' as verdict,
    prompt_id as item,
    concat_ws(
        ', ',
        source,
        split,
        'bucket ' || round(bucket, 4),
        'cluster ' || cluster
    ) as detail
from prompts where prompt_id in (select unnest($prompts))
