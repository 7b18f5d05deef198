-- Sampled pairs worth a person's look: flagged, or the smallest margins first.
select
    iteration,
    pair_id,
    round(margin, 4) as margin,
    chosen_chars - rejected_chars as length_gap,
    flags,
    last_text(prompt) as prompt,
    last_text(chosen) as chosen,
    last_text(rejected) as rejected
from pairs
order by len(flags) = 0, margin, pair_id
limit 50
