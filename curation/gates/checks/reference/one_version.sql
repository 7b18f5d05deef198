-- All rows come from one reference model and one template.
select
    count(distinct reference_sha) as models,
    count(distinct template_sha) as templates
from this
having models > 1 or templates > 1
