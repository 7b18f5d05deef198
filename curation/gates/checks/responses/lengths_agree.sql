-- The stored lengths are those of the text and of the token ids.
select
    generation_id,
    n_chars,
    n_tokens
from this
where
    n_chars <> length(response)
    or (engine <> 'imported' and n_tokens <> len(token_ids))
