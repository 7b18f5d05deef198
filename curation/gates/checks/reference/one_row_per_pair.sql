-- Every pair of the history has exactly one reference row.
-- views: history
with got as (
    select
        pair_id,
        count(*) as copies
    from this
    group by pair_id
),

found as (
    select
        history.pair_id,
        coalesce(got.copies, 0) as copies
    from history
    left join got on history.pair_id = got.pair_id
    where coalesce(got.copies, 0) <> 1
)

select * from found
