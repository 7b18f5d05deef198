-- The token ids of a sampled side are those of its generation.
-- views: generations
with sides as (
    select
        pair_id,
        template_sha,
        chosen_id as generation_id,
        chosen_token_ids as token_ids
    from this
    union all
    select
        pair_id,
        template_sha,
        rejected_id as generation_id,
        rejected_token_ids as token_ids
    from this
),

found as (
    select
        sides.pair_id,
        sides.generation_id
    from sides
    inner join generations
        on sides.generation_id = generations.generation_id
    where
        sides.token_ids is not null
        and (
            sides.token_ids <> generations.token_ids
            or sides.template_sha is distinct from generations.template_sha
        )
)

select * from found
