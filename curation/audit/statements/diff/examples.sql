with both_sides as (
    select * from a
    union all by name
    select * from b
)

select
    s.pair_id,
    s.grouped as "group",
    round(t.margin, 4) as margin,
    t.prompt,
    t.chosen,
    t.rejected
from status as s
inner join both_sides as t
    on s.pair_id = t.pair_id and s.grouped = t.grouped
where s.status = $status
qualify row_number() over (partition by s.pair_id, s.grouped) = 1
order by s.pair_id, s.grouped
limit $shown
