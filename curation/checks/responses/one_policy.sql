-- All responses come from one version of the policy.
select
    min(policy_sha) as one_version,
    max(policy_sha) as other_version
from this
where engine <> 'imported'
having min(policy_sha) <> max(policy_sha)
