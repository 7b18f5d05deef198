select
    kind,
    weights_sha,
    template_sha
from checkpoints
where checkpoint = $checkpoint
