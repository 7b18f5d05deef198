select
    pair_id,
    prompt_id,
    iteration,
    prompt,
    chosen,
    rejected,
    chosen_reward,
    rejected_reward,
    margin,
    strategy,
    flags
from pairs where pair_id in (select unnest($pairs::varchar[])) order by pair_id
