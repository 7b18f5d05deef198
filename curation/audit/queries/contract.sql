-- What must hold of each model's tokenizer and template, and what was seen.
select
    gate,
    check_name as promise,
    json_extract_string(examples, '$[0]') as verdict,
    sentence as seen
from checks
where table_name = 'contract'
order by gate, passed, promise
