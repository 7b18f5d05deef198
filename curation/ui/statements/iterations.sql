select
    iteration,
    count(*) as pairs,
    avg(margin) as margin,
    avg((chosen_chars > rejected_chars)::int) as longer
from pairs group by iteration order by iteration
