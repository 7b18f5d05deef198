-- All rows of a judge come from one version of it and one template.
select
    judge,
    count(distinct judge_sha) as versions,
    count(distinct template_sha) as templates,
    count(distinct dtype) as dtypes
from this
group by judge
having versions > 1 or templates > 1 or dtypes > 1
