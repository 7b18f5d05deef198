select
    pair_id,
    prompt,
    chosen,
    rejected,
    margin,
    chosen_chars,
    rejected_chars,
    chosen_score,
    rejected_score,
    []::varchar[] as flags,
    annotator as made_by
from preferences where source = $origin and pair_id in (select unnest($pairs))
