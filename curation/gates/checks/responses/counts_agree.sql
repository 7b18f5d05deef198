-- Every prompt the stage was given has responses here or a line in the ledger.
-- views: counts, rejects
with counted as (
    select max(value) filter (where key = 'rows_in') as prompts_in
    from counts
),

present as (
    select
        (select count(distinct prompt_id) from this) as answered,
        (select count(*) from rejects) as rejected
),

found as (
    select
        counted.prompts_in,
        present.answered,
        present.rejected
    from counted
    cross join present
    where counted.prompts_in <> present.answered + present.rejected
)

select * from found
