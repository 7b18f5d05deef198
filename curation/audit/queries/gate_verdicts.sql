-- Every gate with the checks it ran and the rows that violate them.
select
    gate,
    table_name,
    any_value(rows) as rows_checked,
    count(*) as checks,
    sum(violations)::bigint as violations,
    bool_and(passed) as passed
from checks
group by gate, table_name
order by passed, gate, table_name
