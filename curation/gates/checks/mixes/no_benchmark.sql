-- No question of a comparison is a benchmark's question, case and marks apart.
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
        pair_id,
        unnest(prompt) as turn
    from this
),

questions as (
    select
        pair_id,
        trim(regexp_replace(
            lower(turn.content), '[^\p{L}\p{N}]+', ' ', 'g'
        )) as words
    from asked
    where turn.role = 'user'
),

found as (
    select distinct
        questions.pair_id,
        items.benchmark,
        items.item_id
    from questions
    inner join items on questions.words = items.words
    where items.words <> ''
)

select * from found
