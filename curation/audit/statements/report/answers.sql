-- Every evaluated response with its prompt, its length and its oracle reward.
select
    g.evaluated as policy,
    g.prompt_id,
    g.generation_id,
    last_text(p.messages) as prompt,
    g.response,
    g.n_tokens::double as tokens,
    g.n_chars::double as chars,
    (trim(g.response) = '')::int::double as empty,
    (g.finish_reason = 'length')::int::double as cut,
    s.reward as reward
from evaluation_generations as g
inner join prompts as p on g.prompt_id = p.prompt_id
left join evaluation_scores as s
    on
        g.generation_id = s.generation_id
        and g.evaluated = s.evaluated
        and s.judge = 'oracle'
order by g.evaluated, g.generation_id
