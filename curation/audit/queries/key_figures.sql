-- Every policy, mix and judge with the few figures that say how it does:
-- accuracy is on held-out pairs, a policy's that of its implicit reward against
-- the oracle; pairs are those it learnt from; drop_rate is of rows or prompts.
with facts as (
    select
        regexp_extract(file, '([^/]+?)(/metrics|/dpo)?$', 1) as name,
        case
            when file similar to 'evaluation/[^/]+/metrics' then 'policy'
            when file similar to 'iterations/[^/]+/dpo' then 'policy'
            when file similar to 'mixes/[^/]+/metrics' then 'mix'
            when file similar to 'checkpoints/reward_models/[^/]+' then 'judge'
            when file = 'checkpoints/preference_model' then 'judge'
        end as kind,
        file like '%/dpo' as is_training,
        key,
        value
    from metrics
),

told as (
    select
        kind,
        name,
        max(value) filter (where key = 'oracle.mean') as reward,
        max(value) filter (where key = 'kl.mean') as kl,
        max(value) filter (
            where key = 'oracle.implicit_reward.accuracy'
            or (kind = 'judge' and key = 'accuracy')
        ) as accuracy,
        (sum(value) filter (
            where key in ('pairs', 'train.all.pairs', 'eval.all.pairs')
        ))::bigint as pairs,
        max(value) filter (
            where key in ('mean_chars', 'train.all.mean_chosen_chars')
        ) as chars,
        max(value) filter (where key = 'rejected' and not is_training)
        / nullif(max(value) filter (where key = 'rows_in'), 0) as drop_rate
    from facts
    where kind is not null
    group by kind, name
),

duelled as (
    select
        evaluated as name,
        'policy' as kind,
        avg(win) as win_rate
    from duels
    group by evaluated
)

select
    told.*,
    duelled.win_rate
from told
left join duelled on told.name = duelled.name and told.kind = duelled.kind
order by told.kind desc, told.name asc
