-- The same two responses to the same prompt labelled in opposite orders.
select
    a.prompt_id,
    a.source as source_a,
    b.source as source_b,
    a.pair_id as pair_a,
    b.pair_id as pair_b,
    last_text(a.chosen) as chosen_in_a,
    last_text(b.chosen) as chosen_in_b
from preferences as a
inner join preferences as b
    on
        a.prompt_id = b.prompt_id
        and a.pair_id < b.pair_id
        and last_text(a.chosen) = last_text(b.rejected)
        and last_text(a.rejected) = last_text(b.chosen)
order by a.prompt_id, pair_a
