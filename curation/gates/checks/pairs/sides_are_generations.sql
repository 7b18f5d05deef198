-- Each side is a stored response to the pair's own prompt, text for text.
-- views: generations
with sides as (
    select
        pair_id,
        prompt_id,
        chosen_id as generation_id,
        chosen[1].content as response,
        chosen_chars as n_chars,
        chosen_tokens as n_tokens
    from this
    union all
    select
        pair_id,
        prompt_id,
        rejected_id as generation_id,
        rejected[1].content as response,
        rejected_chars as n_chars,
        rejected_tokens as n_tokens
    from this
),

found as (
    select
        sides.pair_id,
        sides.generation_id
    from sides
    left join generations
        on sides.generation_id = generations.generation_id
    where
        generations.generation_id is null
        or generations.prompt_id <> sides.prompt_id
        or generations.response <> sides.response
        or generations.n_chars <> sides.n_chars
        or generations.n_tokens <> sides.n_tokens
)

select * from found
