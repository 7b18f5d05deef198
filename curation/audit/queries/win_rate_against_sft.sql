-- Share of held-out prompts where a policy's oracle reward beats the SFT
-- policy's, ties half.
select
    evaluated as policy,
    count(win) as prompts,
    round(avg(win), 6) as win_rate,
    round(stddev_samp(win) / sqrt(count(win)), 6) as standard_error
from duels
where evaluated != 'sft'
group by evaluated
order by win_rate, policy
