select distinct gate
from checks
where not passed
order by gate
