-- Every evaluated policy: oracle reward, win rate against SFT, other judge,
-- length.
with rewards as (
    select
        evaluated,
        avg(reward) as oracle_reward,
        stddev_samp(reward) / sqrt(count(*)) as oracle_se,
        count(*) as prompts,
        sum(responses) as responses,
        avg(win) as win_rate,
        stddev_samp(win) / sqrt(count(win)) as win_se
    from duels
    group by evaluated
),

judged as (
    select
        evaluated,
        avg(reward) as model_reward,
        stddev_samp(reward) / sqrt(count(reward)) as model_se
    from evaluations
    where judge != 'oracle'
    group by evaluated
),

sampled as (
    select
        evaluated,
        avg(n_chars) as chars,
        stddev_samp(n_chars) / sqrt(count(*)) as chars_se,
        avg((finish_reason = 'length')::int) as truncated
    from evaluation_generations
    group by evaluated
)

select
    s.evaluated as policy,
    round(r.oracle_reward, 6) as oracle_reward,
    round(r.oracle_se, 6) as oracle_se,
    coalesce(r.prompts, 0) as prompts,
    coalesce(r.responses, 0)::bigint as responses,
    round(r.win_rate, 6) as win_rate,
    round(r.win_se, 6) as win_se,
    round(j.model_reward, 6) as model_reward,
    round(j.model_se, 6) as model_se,
    round(s.chars, 4) as chars,
    round(s.chars_se, 4) as chars_se,
    round(s.truncated, 6) as truncated
from sampled as s
left join rewards as r on s.evaluated = r.evaluated
left join judged as j on s.evaluated = j.evaluated
order by policy
