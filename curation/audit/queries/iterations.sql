-- Each iteration's samples and pairs: reward, length, margin, ties and how
-- reward goes with length within a prompt; means over judges where several
-- score.
with per_judge as (
    select
        iteration,
        prompt_id,
        judge,
        count(*) as responses,
        avg(reward) as reward,
        max(reward) as best,
        avg(n_chars) as chars,
        avg(cut::int) as cut,
        pearson(reward, n_chars) as r
    from responses
    group by iteration, prompt_id, judge
),

per_prompt as (
    select
        iteration,
        prompt_id,
        max(responses) as responses,
        avg(reward) as reward,
        avg(best) as best,
        avg(chars) as chars,
        avg(cut) as cut,
        avg(r) as r
    from per_judge
    group by iteration, prompt_id
),

sampled as (
    select
        iteration,
        count(*) as prompts,
        sum(responses)::bigint as responses,
        round(avg(reward), 6) as reward,
        round(stddev_samp(reward) / sqrt(count(reward)), 6) as reward_se,
        round(avg(best), 6) as best_of_n,
        round(avg(chars), 4) as chars,
        round(stddev_samp(chars) / sqrt(count(*)), 4) as chars_se,
        round(avg(cut), 6) as cut_responses,
        round(avg(r), 6) as pearson,
        round(stddev_samp(r) / sqrt(count(r)), 6) as pearson_se
    from per_prompt
    group by iteration
),

paired as (
    select
        iteration,
        count(*) as pairs,
        round(avg(margin), 6) as margin,
        round(stddev_samp(margin) / sqrt(count(*)), 6) as margin_se,
        round(avg((chosen_chars > rejected_chars)::int), 6) as chosen_longer,
        round(avg((chosen_cut or rejected_cut)::int), 6) as cut_pairs
    from pairs
    group by iteration
),

ties as (
    select
        split_part(file, '/', 2) as iteration,
        round(value, 6) as tie_rate
    from metrics
    where file like 'iterations/%/pair' and key = 'tie_rate'
)

select
    sampled.*,
    paired.* exclude (iteration),
    ties.tie_rate
from sampled
left join paired on sampled.iteration = paired.iteration
left join ties on sampled.iteration = ties.iteration
order by sampled.iteration
