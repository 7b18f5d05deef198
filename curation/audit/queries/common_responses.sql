-- The responses a policy gives most often, whatever the prompt.
with repeated as (
    select
        iteration,
        md5(response) as text_md5,
        count(*) as times,
        count(distinct prompt_id) as prompts,
        min(generation_id) as example_id
    from generations
    group by iteration, text_md5
    having count(*) > 1
    order by times desc, iteration asc, example_id asc
    limit 50
)

select
    r.iteration,
    g.response,
    r.times,
    r.prompts
from repeated as r
inner join generations as g
    on r.iteration = g.iteration and r.example_id = g.generation_id
order by r.times desc, r.iteration asc, r.example_id asc
