-- Every prompt has the same number of samples, numbered from 0.
with per_prompt as (
    select
        prompt_id,
        count(*) as samples,
        count(distinct sample) as numbers,
        min(sample) as lowest,
        max(sample) as highest,
        max(count(*)) over () as wanted
    from this
    where engine <> 'imported'
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
