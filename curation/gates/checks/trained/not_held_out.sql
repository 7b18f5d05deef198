-- No row asks a held-out prompt of the pool, case and marks apart.
-- views: prompts
with conversations as (
    select
        columns('^(pair_id|example_id)$') as item,
        false as held_out,
        columns('^(prompt|messages)$') as messages
    from this
    union all
    select
        prompt_id as item,
        true as held_out,
        messages
    from prompts
    where split = 'eval'
),

turns as (
    select
        item,
        held_out,
        unnest(messages) as turn,
        unnest(range(len(messages))) as place
    from conversations
),

words as (
    select
        item,
        held_out,
        place,
        turn.content as content,
        trim(regexp_replace(
            lower(turn.content), '[^\p{L}\p{N}]+', ' ', 'g'
        )) as words
    from turns
    where turn.role = 'user'
),

questions as (
    select
        item,
        held_out,
        list(coalesce(nullif(words, ''), content) order by place) as asked
    from words
    group by item, held_out
)

select
    trained.item as item,
    held.item as held_out_prompt
from questions as trained
inner join questions as held on trained.asked[1] = held.asked[1]
where
    held.held_out
    and not trained.held_out
    and list_slice(trained.asked, 1, len(held.asked)) = held.asked
