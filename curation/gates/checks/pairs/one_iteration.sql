-- A pairs table holds one iteration and one strategy.
select
    min(iteration) as iteration,
    max(iteration) as other_iteration,
    min(strategy) as strategy,
    max(strategy) as other_strategy
from this
having
    min(iteration) <> max(iteration)
    or min(strategy) <> max(strategy)
