-- No prompt stands in train and eval both, and there is no third split.
select
    prompt_id,
    min(split) as one_split,
    max(split) as other_split
from this
group by prompt_id
having
    min(split) <> max(split)
    or min(split) not in ('train', 'eval')
