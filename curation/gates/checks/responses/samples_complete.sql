-- Every prompt has as many draws, numbered from 0, failed ones included.
-- views: rejects
with drawn as (
    select
        prompt_id,
        sample
    from this
    where engine <> 'imported'
    union all
    select
        split_part(item_id, ':', 1) as prompt_id,
        split_part(item_id, ':', 2)::bigint as sample
    from rejects
    where contains(item_id, ':')
),

per_prompt as (
    select
        prompt_id,
        count(*) as samples,
        count(distinct sample) as numbers,
        min(sample) as lowest,
        max(sample) as highest,
        max(count(*)) over () as wanted
    from drawn
    group by prompt_id
),

found as (
    select *
    from per_prompt
    where
        samples <> wanted
        or numbers <> samples
        or lowest <> 0
        or highest <> samples - 1
)

select * from found
