-- No rule drops more than the share of the items that params.gates allows.
-- views: rejects, bounds
with total as (
    select (select count(*) from this) + (select count(*) from rejects) as items
),

dropped as (
    select
        rule,
        count(*) as items
    from rejects
    where
        rule not in (
            'weight', 'member_cap', 'per_prompt_cap',
            'outside_history', 'history_cap'
        )
    group by rule
),

rated as (
    select
        dropped.rule,
        dropped.items / total.items as rate,
        coalesce(
            bounds.value, getvariable('max_drop_rate')::double
        ) as bound
    from dropped
    cross join total
    left join bounds on dropped.rule = bounds.key
),

found as (
    select * from rated
    where rate > bound
)

select * from found
