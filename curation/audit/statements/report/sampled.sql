select
    pair_id,
    prompt,
    chosen,
    rejected,
    margin,
    chosen_chars,
    rejected_chars,
    chosen_reward as chosen_score,
    rejected_reward as rejected_score,
    flags,
    strategy as made_by
from pairs where iteration = $origin and pair_id in (select unnest($pairs))
