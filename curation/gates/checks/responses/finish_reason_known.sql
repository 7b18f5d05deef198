-- A response ended with a stop token or at the length limit.
select
    generation_id,
    finish_reason
from this
where finish_reason not in ('stop', 'length')
