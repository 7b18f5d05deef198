-- Checks that failed, with their sentence and first examples.
select
    gate,
    check_name,
    sentence,
    violations,
    examples
from checks
where not passed
order by gate, check_name
