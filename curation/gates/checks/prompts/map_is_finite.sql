-- The coordinates of the prompt map are finite.
select
    prompt_id,
    map_x,
    map_y
from this
where not (isfinite(map_x) and isfinite(map_y))
