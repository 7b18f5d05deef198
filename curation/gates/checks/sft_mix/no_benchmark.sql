-- No question of a conversation is a benchmark's question.
-- views: benchmarks
with items as (
    select
        benchmark,
        item_id,
        trim(regexp_replace(lower(text), '[^\p{L}\p{N}]+', ' ', 'g')) as words
    from benchmarks
),

asked as (
    select
        example_id,
        unnest(messages) as turn
    from this
),

questions as (
    select
        example_id,
        trim(regexp_replace(
            lower(turn.content), '[^\p{L}\p{N}]+', ' ', 'g'
        )) as words
    from asked
    where turn.role = 'user'
),

found as (
    select distinct
        questions.example_id,
        items.benchmark,
        items.item_id
    from questions
    inner join items on questions.words = items.words
    where items.words <> ''
)

select * from found
