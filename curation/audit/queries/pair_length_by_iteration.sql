-- Mean length of both sides of the pairs of each iteration: are later pairs
-- longer?
select
    iteration,
    count(*) as pairs,
    round(avg(chosen_chars), 2) as chosen_chars,
    round(avg(rejected_chars), 2) as rejected_chars,
    round(avg(chosen_tokens), 2) as chosen_tokens,
    round(avg(rejected_tokens), 2) as rejected_tokens
from pairs
group by iteration
order by iteration
