select
    'review' as stage,
    decision as verdict,
    pair_id as item,
    concat_ws(', ', 'by ' || reviewer, decided_at, nullif(note, '')) as detail
from reviews
where pair_id in (select unnest($pairs)) or other_id in (select unnest($pairs))
order by decided_at, reviewer
