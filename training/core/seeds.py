"""Seeds by hash: what one row draws never depends on which other rows there are."""

from __future__ import annotations

import hashlib


def hash64(*parts: object) -> int:
    """A 64-bit number fixed by its parts: the first 8 bytes of their SHA-256."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def coin(*parts: object) -> bool:
    """A fair coin fixed by its parts."""
    return hash64(*parts) < 1 << 63


def sample_seed(seed: int, prompt_id: str, sample: int, policy: str | None = None) -> int:
    """The seed of one sampled response: a hash of the named seed, the prompt and its number.

    Adding prompts or samples leaves the seeds of all others alone. A further policy of the same
    iteration hashes its name in as well: two alike policies would else say the same.
    """
    further = [] if policy is None else [policy]
    return hash64("sample", seed, prompt_id, sample, *further)
