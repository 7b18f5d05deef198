-- For each iteration: the weights that sampled, the judge's weights and the
-- data trained on.
with sampled as (
    select
        iteration,
        any_value(policy) as policy,
        any_value(policy_sha) as policy_sha,
        any_value(engine || ' ' || engine_version) as engine,
        count(*) as responses
    from generations
    group by iteration
),

judged as (
    select
        iteration,
        string_agg(distinct judge, ', ' order by judge) as judges,
        any_value(judge_sha) as judge_sha
    from scores
    group by iteration
),

trained as (
    select
        trains as iteration,
        count(*) as history_pairs
    from history
    group by trains
)

select
    sampled.iteration as checkpoint,
    sampled.policy as sampled_from,
    sampled.policy_sha,
    sampled.engine,
    sampled.responses,
    judged.judges,
    judged.judge_sha,
    trained.history_pairs
from sampled
left join judged on sampled.iteration = judged.iteration
left join trained on sampled.iteration = trained.iteration
order by checkpoint
