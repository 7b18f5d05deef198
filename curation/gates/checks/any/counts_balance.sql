-- The rows of the table and of its ledger are those that the stage counted.
-- views: metrics, rejects
with counted as (
    select
        max(value) filter (where key = 'rows_in') as rows_in,
        max(value) filter (where key = 'kept') as kept,
        max(value) filter (where key = 'rejected') as rejected
    from metrics
),

present as (
    select
        (select count(*) from this) as kept,
        (select count(*) from rejects) as rejected
),

found as (
    select
        counted.rows_in,
        counted.kept as counted_kept,
        present.kept,
        counted.rejected as counted_rejected,
        present.rejected
    from counted
    cross join present
    where
        counted.rows_in <> present.kept + present.rejected
        or counted.kept <> present.kept
        or counted.rejected <> present.rejected
)

select * from found
