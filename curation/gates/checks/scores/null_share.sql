-- No judge failed on more responses than params.gates allows.
with shares as (
    select
        judge,
        avg((reward is null)::int) as rate
    from this
    group by judge
),

found as (
    select * from shares
    where rate > getvariable('max_null_scores')::double
)

select * from found
