-- Who wrote the responses of each mix, as its sources name them: how often
-- each model's answer is chosen, and how often it is rejected.
with answers as (
    select
        mix,
        source,
        chosen_model as model,
        true as won
    from mixes
    union all
    select
        mix,
        source,
        rejected_model as model,
        false as won
    from mixes
)

select
    mix,
    source,
    model,
    count(*) filter (where won) as chosen,
    count(*) filter (where not won) as rejected,
    round(avg(won::int), 4) as win_share
from answers
where model is not null
group by mix, source, model
order by mix, source, model
