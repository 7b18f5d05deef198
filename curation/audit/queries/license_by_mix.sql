-- Licences of the pairs of each mix.
select
    mix,
    license,
    count(*) as pairs,
    count(distinct source) as sources,
    string_agg(distinct source, ', ' order by source) as which
from mixes
group by mix, license
order by mix asc, pairs desc, license asc
