-- Rows dropped because they overlap a benchmark, with what they overlapped.
select
    stage,
    source,
    rule,
    detail,
    count(*) as rows_dropped
from rejects
where rule like '%benchmark%' or rule like '%contamin%'
group by stage, source, rule, detail
order by rows_dropped desc, stage asc, source asc, detail asc
