-- Sampled pairs of each iteration by length gap: chosen less rejected, in 20
-- equal bins.
with bounds as (
    select
        iteration,
        min(chosen_chars - rejected_chars) as low,
        (
            max(chosen_chars - rejected_chars)
            - min(chosen_chars - rejected_chars)
        ) / 20 as width
    from pairs
    group by iteration
    having
        max(chosen_chars - rejected_chars) > min(chosen_chars - rejected_chars)
),

placed as (
    select
        p.iteration,
        b.low,
        b.width,
        least(
            floor((p.chosen_chars - p.rejected_chars - b.low) / b.width), 19
        )::int as bin
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
