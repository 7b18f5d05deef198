select
    judge,
    any_value(judge_sha) as judge_sha
from scores where iteration = $iteration group by judge order by judge
