-- Every native row ends in the table or in the ledger.
-- views: native, rejects
with named as (
    select source_row from this
    union
    select split_part(item_id, ':', 2) as source_row from rejects
),

-- A pair of two native rows names both, as "better+worse".
accounted as (
    select distinct unnest(string_split(source_row, '+')) as source_row
    from named
),

found as (
    select native.source_row
    from native
    left join accounted on native.source_row = accounted.source_row
    where accounted.source_row is null
)

select * from found
