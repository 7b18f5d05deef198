-- The views of a build. Each one reads a base relation (same name, leading
-- underscore) that holds the files found on disk plus their filename.
create macro folder(path) as regexp_extract(path, '([^/]+)/[^/]+$', 1);
create macro last_text(messages) as messages[-1].content;
-- The native rows of an item: one hash, or several joined by +.
create macro native_rows(source_row) as
list_distinct(list_append(string_split(source_row, '+'), source_row));
create macro is_row(source_row, id) as
contains(source_row, id) and list_contains(native_rows(source_row), id);
-- An item of a reject is source:row:item where a native row was dropped,
-- source:key where a mix or the prompt pool dropped a row of a table.
create macro is_native(item_id) as split_part(item_id, ':', 3) != '';
create macro is_keyed(item_id) as
contains(item_id, ':') and split_part(item_id, ':', 3) = '';
create macro key_kind(stage) as case
    when stage = 'sft_mix' then 'example'
    when stage = 'prompts' then 'prompt'
    else 'pair'
end;
create macro is_dropped(stage, item_id, kind, id) as
contains(item_id, id) and is_keyed(item_id)
and key_kind(stage) = kind and split_part(item_id, ':', 2) = id;
create macro pearson(a, b) as
case when max(a) > min(a) and max(b) > min(b) then corr(a, b) end;

create view sources as
select
    source,
    kind,
    format,
    uri,
    revision,
    commit_sha,
    sha256,
    bytes,
    kept as native_rows
from _manifests
order by kind, source;

create view preferences as select * exclude (filename) from _preferences;

create view sft as select * exclude (filename) from _sft;

create view prompt_source as select * exclude (filename) from _prompt_source;

create view benchmark as select * exclude (filename) from _benchmark;

create view rejects as select * exclude (filename) from _rejects;

create view mixes as
select
    folder(filename) as mix,
    * exclude (filename)
from _mixes;

create view sft_mix as select * exclude (filename) from _sft_mix;

create view prompts as select * exclude (filename) from _prompts;

create view generations as
select
    folder(filename) as iteration,
    * exclude (filename)
from _generations;

create view scores as
select
    folder(filename) as iteration,
    * exclude (filename)
from _scores;

create view pairs as select * exclude (filename) from _pairs;

create view history as
select
    folder(filename) as trains,
    * exclude (filename)
from _history;

create view reference as
select
    folder(filename) as trains,
    * exclude (filename)
from _reference;

create view evaluation_generations as
select
    folder(filename) as evaluated,
    * exclude (filename)
from _evaluation_generations;

create view evaluation_scores as
select
    folder(filename) as evaluated,
    * exclude (filename)
from _evaluation_scores;

create view evaluation_parts as
select
    folder(filename) as evaluated,
    * exclude (filename)
from _evaluation_parts;

create view length_bias_scores as
select
    folder(filename) as mix,
    * exclude (filename)
from _length_bias_scores;

create view reviews as select * exclude (filename) from _reviews;

create view checks as select * from _checks;

create view metrics as select * from _metrics;

create view checkpoints as select * from _checkpoints;

-- One row per judgement of a sampled response; unjudged responses have no
-- judge.
create view responses as
select
    g.iteration,
    g.prompt_id,
    g.generation_id,
    g.policy,
    g.temperature,
    g.n_chars,
    g.n_tokens,
    g.finish_reason = 'length' as cut,
    g.response,
    s.judge,
    s.reward,
    s.reason
from generations as g
left join scores as s
    on g.generation_id = s.generation_id and g.iteration = s.iteration;

-- One row per judgement of a response of an evaluated policy.
create view evaluations as
select
    g.evaluated,
    g.prompt_id,
    g.generation_id,
    g.n_chars,
    g.n_tokens,
    g.response,
    s.judge,
    s.reward,
    s.reason
from evaluation_generations as g
inner join evaluation_scores as s
    on g.generation_id = s.generation_id and g.evaluated = s.evaluated;

-- One row per judgement of a response of the length-bias study.
create view length_bias as
select
    s.mix,
    s.judge,
    g.prompt_id,
    g.generation_id,
    g.n_chars,
    s.reward
from length_bias_scores as s
inner join generations as g on s.generation_id = g.generation_id
where s.reward is not null;

-- One row per held-out prompt and policy: its oracle reward, and the share of
-- duels it wins there against the SFT policy, ties half.
create view duels as
select
    a.evaluated,
    a.prompt_id,
    avg(a.reward) as reward,
    count(distinct a.generation_id) as responses,
    avg((sign(a.reward - b.reward) + 1) / 2) as win
from evaluations as a
left join evaluations as b
    on
        a.prompt_id = b.prompt_id
        and b.judge = 'oracle'
        and b.evaluated = 'sft'
        and a.evaluated != 'sft'
where a.judge = 'oracle' and a.reward is not null
group by a.evaluated, a.prompt_id;

-- Rows that each curation stage kept, by source.
create view kept_rows as
select
    'fetch@' || source as stage,
    source,
    native_rows as kept
from sources
union all
select
    'standardize@' || source as stage,
    source,
    count(*) as kept
from preferences group by source
union all
select
    'standardize@' || source as stage,
    source,
    count(*) as kept
from sft group by source
union all
select
    'standardize@' || source as stage,
    source,
    count(*) as kept
from prompt_source group by source
union all
select
    'standardize@' || benchmark as stage,
    benchmark as source,
    count(*) as kept
from benchmark group by benchmark
union all
select
    'mix@' || mix as stage,
    source,
    count(*) as kept
from mixes group by mix, source
union all
select
    'sft_mix' as stage,
    source,
    count(*) as kept
from sft_mix group by source
union all
select
    'prompts' as stage,
    source,
    count(*) as kept
from prompts
group by source;

-- One row per response text that is compared, sampled or evaluated.
create view lengths as
select
    'preferences' as table_name,
    source as origin,
    pair_id as id,
    'chosen' as side,
    chosen_chars as n_chars,
    chosen_tokens as n_tokens
from preferences
union all
select
    'preferences' as table_name,
    source as origin,
    pair_id as id,
    'rejected' as side,
    rejected_chars as n_chars,
    rejected_tokens as n_tokens
from preferences
union all
select
    'generations' as table_name,
    iteration as origin,
    generation_id as id,
    'sampled' as side,
    n_chars as n_chars,
    n_tokens as n_tokens
from generations
union all
select
    'pairs' as table_name,
    iteration as origin,
    pair_id as id,
    'chosen' as side,
    chosen_chars as n_chars,
    chosen_tokens as n_tokens
from pairs
union all
select
    'pairs' as table_name,
    iteration as origin,
    pair_id as id,
    'rejected' as side,
    rejected_chars as n_chars,
    rejected_tokens as n_tokens
from pairs
union all
select
    'evaluation' as table_name,
    evaluated as origin,
    generation_id as id,
    'sampled' as side,
    n_chars as n_chars,
    n_tokens as n_tokens
from evaluation_generations;
