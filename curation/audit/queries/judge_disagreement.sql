-- Held-out prompts on which oracle and reward model order two policies
-- differently.
with rewards as (
    select
        evaluated,
        prompt_id,
        avg(reward) filter (where judge = 'oracle') as oracle,
        avg(reward) filter (where judge != 'oracle') as model
    from evaluations
    group by evaluated, prompt_id
),

orders as (
    select
        a.evaluated as policy_a,
        b.evaluated as policy_b,
        sign(a.oracle - b.oracle) * sign(a.model - b.model) as agreement
    from rewards as a
    inner join rewards as b
        on a.prompt_id = b.prompt_id and a.evaluated < b.evaluated
)

select
    policy_a,
    policy_b,
    count(agreement) as prompts,
    count_if(agreement < 0)::bigint as opposite,
    round(avg((agreement < 0)::int), 4) as opposite_share
from orders
group by policy_a, policy_b
order by opposite_share desc, policy_a asc, policy_b asc
