-- Prompts whose responses all tie are no more than params.gates allows.
-- views: metrics
select
    key,
    value as tie_rate
from metrics
where
    key = 'tie_rate'
    and value > getvariable('max_tie_rate')::double
