-- Pairs that each two mixes share, and the share of the smaller one.
with sizes as (
    select
        mix,
        count(*) as pairs
    from mixes group by mix
),

shared as (
    select
        a.mix as mix_a,
        b.mix as mix_b,
        count(*) as shared
    from mixes as a
    inner join mixes as b on a.pair_id = b.pair_id and a.mix < b.mix
    group by a.mix, b.mix
)

select
    shared.mix_a,
    shared.mix_b,
    shared.shared,
    round(shared.shared / least(x.pairs, y.pairs), 4) as of_smaller
from shared
inner join sizes as x on shared.mix_a = x.mix
inner join sizes as y on shared.mix_b = y.mix
order by shared.mix_a, shared.mix_b
