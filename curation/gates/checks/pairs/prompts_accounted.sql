-- Every prompt of the generations ends as a pair or in the ledger.
-- views: generations, rejects
with asked as (
    select distinct prompt_id from generations
),

accounted as (
    select prompt_id from this
    union
    select item_id from rejects
),

found as (
    select asked.prompt_id
    from asked
    left join accounted on asked.prompt_id = accounted.prompt_id
    where accounted.prompt_id is null
)

select * from found
