select
    'pair' as kind,
    pair_id as id
from preferences
where starts_with(pair_id, $id)
union
select
    'pair' as kind,
    pair_id
from pairs where starts_with(pair_id, $id)
union
select
    'pair' as kind,
    unnest([pair_id, other_id]) as id
from reviews
where starts_with(pair_id, $id) or starts_with(other_id, $id)
union
select
    'prompt' as kind,
    prompt_id
from prompts where starts_with(prompt_id, $id)
union
select
    'prompt' as kind,
    prompt_id
from preferences where starts_with(prompt_id, $id)
union
select
    'generation' as kind,
    generation_id
from generations
where starts_with(generation_id, $id)
union
select
    'generation' as kind,
    generation_id
from evaluation_generations
where starts_with(generation_id, $id)
union
select
    'example' as kind,
    example_id
from sft where starts_with(example_id, $id)
union
select
    'row' as kind,
    unnest(native_rows(source_row)) as id
from preferences
where contains(source_row, $id)
union
select
    'row' as kind,
    source_row
from sft where starts_with(source_row, $id)
union
select
    'row' as kind,
    source_row
from prompt_source where starts_with(source_row, $id)
union
select
    'row' as kind,
    source_row
from benchmark where starts_with(source_row, $id)
