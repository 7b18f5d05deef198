select
    source,
    count(*) as pairs
from mixes
where mix = $mix
group by source
order by source
