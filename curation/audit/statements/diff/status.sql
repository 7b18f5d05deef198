create table status as
with sides as (
    select
        coalesce(a.pair_id, b.pair_id) as pair_id,
        coalesce(a.grouped, b.grouped) as grouped,
        coalesce(a.prompt_id, b.prompt_id) as prompt_id,
        a.pair_id is not null as in_a,
        b.pair_id is not null as in_b,
        coalesce(a.c, b.c) as c,
        coalesce(a.r, b.r) as r
    from a
    full join b on a.pair_id = b.pair_id and a.grouped = b.grouped
),

turned as (
    select
        gone.pair_id as old_id,
        come.pair_id as new_id,
        gone.grouped
    from sides as gone
    inner join sides as come
        on
            gone.prompt_id = come.prompt_id and gone.grouped = come.grouped
            and gone.c = come.r and gone.r = come.c
    where gone.in_a and not gone.in_b and come.in_b and not come.in_a
)

select
    sides.pair_id,
    sides.grouped,
    case
        when sides.in_a and sides.in_b then 'unchanged'
        when sides.in_b and n.new_id is not null then 'flipped'
        when sides.in_b then 'added'
        when o.old_id is not null then 'flipped away'
        else 'removed'
    end as status
from sides
left join turned as n on sides.pair_id = n.new_id and sides.grouped = n.grouped
left join turned as o on sides.pair_id = o.old_id and sides.grouped = o.grouped
