select
    map_x as x,
    map_y as y,
    source,
    cluster
from prompts
order by sha256(concat('map:', $seed::varchar, ':', prompt_id))
limit $shown
