-- The responses a policy gives most often, whatever the prompt.
select
    iteration,
    response,
    count(*) as times,
    count(distinct prompt_id) as prompts
from generations
group by iteration, response
having count(*) > 1
order by times desc, iteration asc, response asc
limit 50
