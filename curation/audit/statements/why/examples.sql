select
    'standardize@' || source as stage,
    'kept' as verdict,
    example_id as item,
    'a conversation of ' || turns || ' turns' as detail
from sft where example_id in (select unnest($examples))
union all
select
    'sft_mix' as stage,
    'kept' as verdict,
    example_id,
    split
from sft_mix where example_id in (select unnest($examples))
