-- All responses of a policy come from one version of it.
select
    policy,
    min(policy_sha) as one_version,
    max(policy_sha) as other_version
from this
where engine <> 'imported'
group by policy
having min(policy_sha) <> max(policy_sha)
