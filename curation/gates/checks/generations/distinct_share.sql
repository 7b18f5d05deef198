-- On average a prompt's further responses say something new.
with per_prompt as (
    select
        prompt_id,
        count(*) as responses,
        count(distinct response) as texts
    from this
    group by prompt_id
    having count(*) > 1
),

shared as (
    select
        avg((texts - 1) / (responses - 1)) as share,
        avg(texts) as distinct_per_prompt,
        avg(responses) as responses_per_prompt
    from per_prompt
),

found as (
    select * from shared
    where share < getvariable('min_distinct_share')::double
)

select * from found
