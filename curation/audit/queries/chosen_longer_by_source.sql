-- Share of labelled comparisons whose chosen response is the longer one, by
-- source.
select
    source,
    count(*) as pairs,
    round(avg((chosen_chars > rejected_chars)::int), 4) as chosen_longer,
    round(avg((chosen_chars = rejected_chars)::int), 4) as same_length,
    round(avg(chosen_chars - rejected_chars), 2) as mean_gap_chars
from preferences
group by source
order by chosen_longer desc, source asc
