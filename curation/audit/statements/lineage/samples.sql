select
    policy,
    policy_sha,
    any_value(engine || ' ' || engine_version) as engine,
    count(*) as responses,
    count(distinct prompt_id) as prompts,
    count(distinct seed) as seeds
from generations where iteration = $iteration
group by policy, policy_sha order by policy, policy_sha
