-- A bucket lies in [0, 1) and the split is train or eval.
select
    prompt_id,
    bucket,
    split
from this
where
    not (bucket >= 0 and bucket < 1)
    or split not in ('train', 'eval')
