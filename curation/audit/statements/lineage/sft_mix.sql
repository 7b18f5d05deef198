select
    source,
    count(*) as n
from sft_mix
group by source
order by source
