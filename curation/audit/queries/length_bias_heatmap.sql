-- Responses by their rank in length and in reward among those to the same
-- prompt.
with ranked as (
    select
        mix,
        judge,
        percent_rank()
            over (partition by mix, judge, prompt_id order by n_chars)
            as length_rank,
        percent_rank()
            over (partition by mix, judge, prompt_id order by reward)
            as reward_rank
    from length_bias
),

cells as (
    select
        mix,
        judge,
        least(floor(length_rank * 8), 7)::int as length_bin,
        least(floor(reward_rank * 8), 7)::int as reward_bin
    from ranked
)

select
    mix,
    judge,
    length_bin,
    reward_bin,
    count(*) as responses
from cells
group by mix, judge, length_bin, reward_bin
order by mix, judge, length_bin, reward_bin
