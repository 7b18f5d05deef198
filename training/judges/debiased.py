"""The identity of a reward model that takes length out of its reward."""

from __future__ import annotations

import hashlib


def sha(weights: str, slope: float) -> str:
    """The hash of a debiased judge: that of its weights together with its slope."""
    return hashlib.sha256(f"{weights} {slope!r}".encode()).hexdigest()[:24]
