"""What each stage did to the rows of one life: one query per stage, in the order of the graph.

Every query takes the ids as lists ($rows, $pairs, $prompts, $generations, $examples, $rejects)
and gives (stage, verdict, item, detail).
"""

_ROWS = """
with items as (
    select source, source_row from preferences where pair_id in (select unnest($pairs))
    union all
    select source, source_row from sft where example_id in (select unnest($examples))
    union all
    select source, source_row from prompt_source where prompt_id in (select unnest($prompts))
    union all
    select benchmark, source_row from benchmark where source_row in (select unnest($rows))
    union all
    select source, split_part(item_id, ':', 2) from rejects
    where item_id in (select unnest($rejects))
),

read as (
    select distinct source, unnest(native_rows(source_row)) as native_row from items
)

select 'fetch@' || s.source as stage, 'read' as verdict, r.native_row as item,
    concat_ws(', ', s.uri, 'commit ' || s.commit_sha, 'sha256 ' || s.sha256) as detail
from read as r
inner join sources as s on r.source = s.source
where r.native_row in (select unnest($rows))
order by stage, item
"""

_PREFERENCES = """
select 'standardize@' || source as stage, 'kept' as verdict, pair_id as item,
    concat_ws(', ', 'a labelled pair', 'margin ' || round(margin, 4), turns || ' turns',
        'chosen ' || chosen_chars || ' characters', 'rejected ' || rejected_chars) as detail
from preferences where pair_id in (select unnest($pairs))
"""

_EXAMPLES = """
select 'standardize@' || source as stage, 'kept' as verdict, example_id as item,
    'a conversation of ' || turns || ' turns' as detail
from sft where example_id in (select unnest($examples))
union all
select 'sft_mix', 'kept', example_id, split
from sft_mix where example_id in (select unnest($examples))
"""

_ASKED = """
select 'standardize@' || source as stage, 'kept' as verdict, prompt_id as item,
    'a prompt of ' || n_chars || ' characters' as detail
from prompt_source
where
    prompt_id in (select unnest($prompts))
    -- a labelled pair has a line of its own
    and not exists (select * from preferences where pair_id in (select unnest($pairs)))
order by stage
"""

_REJECTS = """
select stage, 'dropped' as verdict, item_id as item,
    concat_ws(': ', rule, nullif(detail, '')) as detail
from rejects
where item_id in (select unnest($rejects)) or item_id in (select unnest($pairs))
    or item_id in (select unnest($prompts)) or item_id in (select unnest($generations))
    or item_id in (select unnest($examples))
order by stage, item
"""

_MIXES = """
select 'mix@' || mix as stage, 'kept' as verdict, pair_id as item, split as detail
from mixes where pair_id in (select unnest($pairs)) order by stage, item
"""

_PROMPTS = """
select 'prompts' as stage, 'kept' as verdict, prompt_id as item,
    concat_ws(', ', source, split, 'bucket ' || round(bucket, 4), 'cluster ' || cluster) as detail
from prompts where prompt_id in (select unnest($prompts))
"""

_SAMPLED = """
select 'generate@' || iteration as stage, 'sampled' as verdict, prompt_id as item,
    count(*) || ' responses from ' || any_value(policy) as detail
from generations
where prompt_id in (select unnest($prompts)) and len($generations) = 0
group by iteration, prompt_id order by stage
"""

_GENERATIONS = """
select 'generate@' || iteration as stage, 'sampled' as verdict, generation_id as item,
    concat_ws(', ', 'from ' || policy || ' ' || policy_sha[:12], 'sample ' || sample,
        'seed ' || seed, 'temperature ' || temperature, finish_reason,
        engine || ' ' || engine_version) as detail
from generations where generation_id in (select unnest($generations))
union all
select 'evaluate@' || evaluated, 'sampled', generation_id,
    concat_ws(', ', 'from ' || policy || ' ' || policy_sha[:12], 'sample ' || sample,
        'seed ' || seed, 'temperature ' || temperature, finish_reason)
from evaluation_generations where generation_id in (select unnest($generations))
"""

_SCORES = """
select 'score@' || iteration as stage, if(reward is null, 'failed', 'scored') as verdict,
    generation_id as item,
    concat_ws(', ', judge || ' ' || judge_sha[:12], round(reward, 4)::varchar, reason) as detail
from scores where generation_id in (select unnest($generations))
union all
select 'evaluate@' || evaluated, if(reward is null, 'failed', 'scored'), generation_id,
    concat_ws(', ', judge, round(reward, 4)::varchar, reason)
from evaluation_scores where generation_id in (select unnest($generations))
"""

_REVIEWS = """
select 'review' as stage, decision as verdict, pair_id as item,
    concat_ws(', ', 'by ' || reviewer, decided_at, nullif(note, '')) as detail
from reviews where pair_id in (select unnest($pairs)) or other_id in (select unnest($pairs))
order by decided_at, reviewer
"""

_PAIRS = """
select 'pair@' || iteration as stage, 'kept' as verdict, pair_id as item,
    concat_ws(', ', strategy, 'margin ' || round(margin, 4),
        'rewards ' || round(chosen_reward, 4) || ' over ' || round(rejected_reward, 4),
        nullif(array_to_string(flags, ' '), '')) as detail
from pairs where pair_id in (select unnest($pairs)) order by stage, item
"""

_HISTORY = """
select 'history@' || trains as stage, 'kept' as verdict, pair_id as item,
    'made in ' || origin || ', weight ' || weight as detail
from history where pair_id in (select unnest($pairs)) order by trains, item
"""

_REFERENCE = """
select 'reference@' || trains as stage, 'computed' as verdict, pair_id as item,
    concat_ws(', ', 'under ' || reference_sha[:12], 'chosen ' || round(ref_chosen_logps, 3),
        'rejected ' || round(ref_rejected_logps, 3)) as detail
from reference where pair_id in (select unnest($pairs)) order by trains, item
"""

_TRAINED = """
select 'dpo@' || trains as stage, 'trained on' as verdict, pair_id as item,
    'checkpoint ' || trains as detail
from history where pair_id in (select unnest($pairs)) and trains != 'sft' order by trains, item
"""

_REWARD_MODELS = """
select 'reward_model@' || mix as stage, 'trained on' as verdict, pair_id as item,
    'checkpoint reward_models/' || mix as detail
from mixes
where pair_id in (select unnest($pairs)) and split = 'train' order by mix, item
"""

ORDER = (
    "fetch",
    "standardize",
    "mix",
    "reward_model",
    "sft_mix",
    "prompts",
    "generate",
    "score",
    "review",
    "pair",
    "history",
    "reference",
    "dpo",
    "evaluate",
)
"""Stages as they follow one another in the life of a row."""

STEPS = (
    _ROWS,
    _PREFERENCES,
    _EXAMPLES,
    _ASKED,
    _REJECTS,
    _MIXES,
    _REWARD_MODELS,
    _PROMPTS,
    _SAMPLED,
    _GENERATIONS,
    _SCORES,
    _REVIEWS,
    _PAIRS,
    _HISTORY,
    _REFERENCE,
    _TRAINED,
)
