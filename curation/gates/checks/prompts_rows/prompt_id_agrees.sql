-- One prompt has one id, and one id has one prompt.
with one_id as (
    select
        prompt_id,
        'several prompts share this id' as problem
    from this
    group by prompt_id
    having min(hash(messages)) <> max(hash(messages))
),

one_prompt as (
    select
        min(prompt_id) as prompt_id,
        'this prompt has several ids' as problem
    from this
    group by hash(messages)
    having min(prompt_id) <> max(prompt_id)
),

found as (
    select * from one_id
    union all
    select * from one_prompt
)

select * from found
