with means_a as (
    select
        grouped,
        count(*) as pairs,
        avg(margin) as margin,
        avg(chosen_chars) as chosen,
        avg(rejected_chars) as rejected
    from a group by grouped
),

means_b as (
    select
        grouped,
        count(*) as pairs,
        avg(margin) as margin,
        avg(chosen_chars) as chosen,
        avg(rejected_chars) as rejected
    from b group by grouped
),

moved as (
    select
        grouped,
        count_if(status = 'added')::bigint as added,
        count_if(status = 'removed')::bigint as removed,
        count_if(status = 'flipped')::bigint as flipped
    from status group by grouped
)

select
    moved.grouped as "group",
    coalesce(x.pairs, 0) as pairs_a,
    coalesce(y.pairs, 0) as pairs_b,
    moved.added,
    moved.removed,
    moved.flipped,
    round(y.margin - x.margin, 6) as margin_shift,
    round(y.chosen - x.chosen, 4) as chosen_chars_shift,
    round(y.rejected - x.rejected, 4) as rejected_chars_shift
from moved
left join means_a as x on moved.grouped = x.grouped
left join means_b as y on moved.grouped = y.grouped
order by moved.grouped
