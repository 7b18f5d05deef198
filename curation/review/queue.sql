-- Reasons to look at each pair, between 0 and 1: judges that prefer the other
-- response, a small margin, unequal lengths, other flags.
with votes as (
    select
        pairs.iteration,
        pairs.pair_id,
        count(*) as judges,
        avg(
            case
                when chosen.reward < rejected.reward then 1.0
                when chosen.reward = rejected.reward then 0.5
                else 0.0
            end
        ) as against
    from pairs
    inner join scores as chosen
        on
            pairs.chosen_id = chosen.generation_id
            and pairs.iteration = chosen.iteration
    inner join scores as rejected
        on
            pairs.rejected_id = rejected.generation_id
            and pairs.iteration = rejected.iteration
            and chosen.judge = rejected.judge
    where chosen.reward is not null and rejected.reward is not null
    group by pairs.iteration, pairs.pair_id
),

reasons as (
    select
        pairs.iteration,
        pairs.pair_id,
        pairs.margin,
        pairs.flags,
        pairs.chosen_chars - pairs.rejected_chars as length_gap,
        coalesce(votes.against, 0.0) as against,
        2.0 / (1.0 + exp(least(abs(pairs.margin), 700.0))) as close,
        1.0 - least(pairs.chosen_chars, pairs.rejected_chars)
        / greatest(pairs.chosen_chars, pairs.rejected_chars, 1) as uneven,
        list_has_any(
            pairs.flags,
            ['penalty_flipped', 'truncated_chosen', 'truncated_rejected']
        )::double as odd
    from pairs
    left join votes
        on
            pairs.iteration = votes.iteration
            and pairs.pair_id = votes.pair_id
)

select * from reasons
