-- Share of sampled pairs whose chosen response is the longer one, by iteration.
select
    iteration,
    count(*) as pairs,
    round(avg((chosen_chars > rejected_chars)::int), 4) as chosen_longer,
    round(avg((chosen_chars = rejected_chars)::int), 4) as same_length,
    round(avg(chosen_chars - rejected_chars), 2) as mean_gap_chars
from pairs
group by iteration
order by iteration
