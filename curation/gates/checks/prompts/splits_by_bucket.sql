-- Held-out buckets are one range that no training prompt lies in.
with held_out as (
    select
        min(bucket) as low,
        max(bucket) as high
    from this
    where split = 'eval'
),

found as (
    select
        this.prompt_id,
        this.bucket
    from this
    inner join held_out on this.bucket between held_out.low and held_out.high
    where this.split = 'train'
)

select * from found
