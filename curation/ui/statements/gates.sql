select
    count(distinct concat_ws(' ', gate, table_name)) as gates,
    count(*) as checks,
    count_if(not passed) as failed
from checks
