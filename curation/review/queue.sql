-- Reasons to look at each pair, between 0 and 1: judges that prefer the other
-- response, a small margin, unequal lengths, other flags.
with sides as (
    select
        iteration,
        pair_id,
        chosen_id as generation_id,
        true as is_chosen
    from pairs
    union all
    select
        iteration,
        pair_id,
        rejected_id as generation_id,
        false as is_chosen
    from pairs
),

judged as (
    select
        sides.iteration,
        sides.pair_id,
        scores.judge,
        max(scores.reward) filter (where sides.is_chosen) as chosen,
        max(scores.reward) filter (where not sides.is_chosen) as rejected
    from sides
    inner join scores
        on
            sides.generation_id = scores.generation_id
            and sides.iteration = scores.iteration
    group by sides.iteration, sides.pair_id, scores.judge
),

votes as (
    select
        iteration,
        pair_id,
        avg(
            case
                when chosen < rejected then 1.0
                when chosen = rejected then 0.5
                else 0.0
            end
        ) as against
    from judged
    where chosen is not null and rejected is not null
    group by iteration, pair_id
),

-- the margin is a logit where one judge that Bradley-Terry has trained gave it;
-- others' rewards, and several judges' on one scale, have units of their own
jury as (
    select
        split_part(file, '/', 2) as iteration,
        count(*) = 1
        and bool_and(key like 'judges.reward_model/%') as logits
    from metrics
    where file like 'iterations/%/pair' and key like 'judges.%.weight'
    group by file
),

margins as (
    select
        iteration,
        pair_id,
        abs(margin) as wide,
        percent_rank() over (
            partition by iteration
            order by abs(margin)
        ) as wider_than
    from pairs
),

reasons as (
    select
        pairs.iteration,
        pairs.pair_id,
        pairs.margin,
        pairs.flags,
        pairs.chosen_chars - pairs.rejected_chars as length_gap,
        coalesce(votes.against, 0.0) as against,
        case
            when coalesce(jury.logits, false)
                then 2.0 / (1.0 + exp(least(margins.wide, 700.0)))
            else greatest(0.0, 1.0 - 2.0 * margins.wider_than)
        end as close,
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
    inner join margins
        on
            pairs.iteration = margins.iteration
            and pairs.pair_id = margins.pair_id
    left join jury on pairs.iteration = jury.iteration
)

select * from reasons
