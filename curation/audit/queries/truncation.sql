-- Responses cut at the token limit by iteration and temperature.
select
    iteration,
    temperature,
    count(*) as responses,
    count_if(finish_reason = 'length') as truncated,
    round(avg((finish_reason = 'length')::int), 4) as truncated_share,
    round(avg(n_tokens), 2) as mean_tokens
from generations
group by iteration, temperature
order by iteration, temperature
