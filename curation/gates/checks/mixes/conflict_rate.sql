-- Comparisons labelled in both directions are no more than params.gates allows.
with opposed as (
    select
        one.pair_id,
        other.pair_id as other_pair_id,
        2 * count(*) over () as opposed_rows
    from this as one
    inner join this as other
        on
            one.prompt_id = other.prompt_id
            and one.chosen = other.rejected
            and one.rejected = other.chosen
            and one.pair_id < other.pair_id
),

found as (
    select *
    from opposed
    where
        opposed_rows
        > getvariable('max_conflict_rate')::double
        * (select count(*) from this)
)

select * from found
