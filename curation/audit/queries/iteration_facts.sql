-- What sampled and judged each iteration: policy, engine, judge, template.
with sampled as (
    select
        iteration,
        policy,
        policy_sha,
        engine || ' ' || engine_version as engine,
        count(*) as responses,
        count(distinct prompt_id) as prompts
    from generations
    group by iteration, policy, policy_sha, engine, engine_version
),

judged as (
    select distinct
        iteration,
        judge,
        judge_sha,
        template_sha,
        dtype
    from scores
)

select
    s.iteration,
    s.policy,
    s.policy_sha,
    s.engine,
    s.prompts,
    s.responses,
    j.judge,
    j.judge_sha,
    j.template_sha,
    j.dtype
from sampled as s
left join judged as j on s.iteration = j.iteration
order by s.iteration, s.policy, j.judge
