-- No question asked is a benchmark's question, case and marks apart.
-- views: benchmarks
with items as (
    select
        benchmark,
        item_id,
        trim(regexp_replace(lower(text), '[^\p{L}\p{N}]+', ' ', 'g')) as words
    from benchmarks
),

-- the turns stand in prompt of comparisons, in messages of all others
asked as (
    select
        prompt_id,
        unnest(columns('^(prompt|messages)$')) as turn
    from this
),

questions as (
    select
        prompt_id,
        trim(regexp_replace(
            lower(turn.content), '[^\p{L}\p{N}]+', ' ', 'g'
        )) as words
    from asked
    where turn.role = 'user'
),

found as (
    select distinct
        questions.prompt_id,
        items.benchmark,
        items.item_id
    from questions
    inner join items on questions.words = items.words
    where items.words <> ''
)

select * from found
