-- Pairs and rejects are as many as the stage counted.
-- views: metrics, rejects
with counted as (
    select
        max(value) filter (where key = 'pairs') as pairs,
        max(value) filter (where key = 'rejects') as dropped
    from metrics
),

present as (
    select
        (select count(*) from this) as pairs,
        (select count(*) from rejects) as dropped
),

found as (
    select
        counted.pairs as counted_pairs,
        present.pairs,
        counted.dropped as counted_rejects,
        present.dropped
    from counted
    cross join present
    where
        coalesce(counted.pairs <> present.pairs, true)
        or coalesce(counted.dropped <> present.dropped, true)
)

select * from found
