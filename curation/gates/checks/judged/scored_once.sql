-- Every response was judged exactly once by every judge, and no other.
-- views: generations, scores
with judges as (
    select distinct judge from scores
),

expected as (
    select
        generations.generation_id,
        judges.judge
    from generations
    cross join judges
),

got as (
    select
        generation_id,
        judge,
        count(*) as judgements
    from scores
    group by generation_id, judge
),

found as (
    select
        coalesce(expected.generation_id, got.generation_id) as generation_id,
        coalesce(expected.judge, got.judge) as judge,
        coalesce(got.judgements, 0) as judgements
    from expected
    full join got
        on
            expected.generation_id = got.generation_id
            and expected.judge = got.judge
    where expected.judge is null or coalesce(got.judgements, 0) <> 1
)

select * from found
