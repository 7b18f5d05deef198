select
    split_part(stage, '@', 2) as iteration,
    rule,
    count(*) as dropped
from rejects
where starts_with(stage, 'pair@') or starts_with(stage, 'generate@')
group by all
order by iteration asc, dropped desc, rule asc
