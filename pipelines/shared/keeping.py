"""What params.yaml says stays in the data that a policy is trained on."""

from __future__ import annotations

from curation.pairing.history import Keep
from pipelines.core.params import Params


def keep_of(params: Params) -> Keep:
    """The history's part of params.yaml, with the seed that its caps draw by."""
    given = params.history
    return Keep(given.keep, given.last_k, given.cap, given.weights, params.seeds.caps)
