-- Every prompt and every draw is here or in the ledger.
-- views: counts, rejects
with counted as (
    select
        max(value) filter (where key = 'rows_in') as prompts_in,
        max(value) filter (where key = 'draws') as draws_in
    from counts
),

-- A draw is named prompt:sample in the ledger, a prompt by its id alone.
present as (
    select
        (select count(distinct prompt_id) from this) as answered,
        (
            select count(*) from rejects
            where not contains(item_id, ':')
        ) as unanswered,
        (select count(*) from this) as responses,
        (
            select count(*) from rejects
            where contains(item_id, ':')
        ) as failed
),

found as (
    select
        counted.prompts_in,
        present.answered,
        present.unanswered,
        counted.draws_in,
        present.responses,
        present.failed
    from counted
    cross join present
    where
        counted.prompts_in <> present.answered + present.unanswered
        or counted.draws_in <> present.responses + present.failed
)

select * from found
