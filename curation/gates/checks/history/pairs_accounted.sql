-- Every pair of the iteration is in the history or in its ledger.
-- views: pairs, rejects
with accounted as (
    select pair_id from this
    union
    select json_extract_string(payload, '$.pair_id') as pair_id
    from rejects
),

found as (
    select
        pairs.pair_id,
        pairs.iteration
    from pairs
    left join accounted on pairs.pair_id = accounted.pair_id
    where accounted.pair_id is null
)

select * from found
