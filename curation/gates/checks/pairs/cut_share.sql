-- Pairs with a cut side are no larger a share than params.gates allows.
with counted as (
    select
        count(*) as pairs,
        count(*) filter (where chosen_cut or rejected_cut) as cut
    from this
),

found as (
    select
        pairs,
        cut,
        cut / pairs as cut_share
    from counted
    where cut / pairs > getvariable('max_cut_share')::double
)

select * from found
