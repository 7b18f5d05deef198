with items as (
    select
        source,
        source_row
    from preferences
    where pair_id in (select unnest($pairs))
    union all
    select
        source,
        source_row
    from sft
    where example_id in (select unnest($examples))
    union all
    select
        source,
        source_row
    from prompt_source
    where prompt_id in (select unnest($prompts))
    union all
    select
        benchmark,
        source_row
    from benchmark
    where source_row in (select unnest($rows))
    union all
    select
        source,
        split_part(item_id, ':', 2) as source_row
    from rejects
    where item_id in (select unnest($rejects))
),

read as (
    select distinct
        source,
        unnest(native_rows(source_row)) as native_row
    from items
)

select
    'fetch@' || s.source as stage,
    'read' as verdict,
    r.native_row as item,
    concat_ws(', ', s.uri, 'commit ' || s.commit_sha, 'sha256 ' || s.sha256)
        as detail
from read as r
inner join sources as s on r.source = s.source
where r.native_row in (select unnest($rows))
order by stage, item
