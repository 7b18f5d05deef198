-- Sampled pairs of each iteration by margin, in 20 equal bins.
with bounds as (
    select
        iteration,
        min(margin) as low,
        (max(margin) - min(margin)) / 20 as width
    from pairs
    group by iteration
    having max(margin) > min(margin)
),

placed as (
    select
        p.iteration,
        b.low,
        b.width,
        least(floor((p.margin - b.low) / b.width), 19)::int as bin
    from pairs as p
    inner join bounds as b on p.iteration = b.iteration
)

select
    iteration,
    round(any_value(low + bin * width), 4) as bin_start,
    round(any_value(low + (bin + 1) * width), 4) as bin_end,
    count(*) as pairs
from placed
group by iteration, bin
order by iteration, bin_start
