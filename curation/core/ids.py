"""Content ids: the same comparison has the same id everywhere, whatever file it came from."""

from __future__ import annotations

import polars as pl
from polars_hash import CryptographicHashingNameSpace

HEX = 24  # 96 bits: at a billion rows the chance of one collision is under 1e-11


def digest(text: pl.Expr) -> pl.Expr:
    """First 24 hex digits of the BLAKE3 hash of a string expression; null stays null."""
    return _blake3(text).str.slice(0, HEX)


def _blake3(text: pl.Expr) -> pl.Expr:
    hashed: pl.Expr = CryptographicHashingNameSpace(text).blake3()
    return hashed


def canonical(messages: pl.Expr) -> pl.Expr:
    """A message list as one string, injectively: each content is preceded by its length."""
    role = pl.element().struct.field("role")
    content = pl.element().struct.field("content")
    part = pl.concat_str(
        role, pl.lit("\x1f"), content.str.len_bytes().cast(pl.String), pl.lit(":"), content
    )
    return messages.list.eval(part).list.join("\x1e")


def prompt_id(messages: pl.Expr) -> pl.Expr:
    """Id of a prompt: the hash of its messages."""
    return prompt_digest(canonical(messages))


def prompt_digest(said: pl.Expr) -> pl.Expr:
    """`prompt_id` of messages in canonical form."""
    return digest(said)


def pair_id(prompt: pl.Expr, chosen: pl.Expr, rejected: pl.Expr) -> pl.Expr:
    """Id of a comparison: the hash of prompt, chosen and rejected."""
    sides = [canonical(side) for side in (prompt, chosen, rejected)]
    return digest(pl.concat_str(sides, separator="\x1d"))


def pair_digest(said: pl.Expr, chosen: pl.Expr, rejected: pl.Expr) -> pl.Expr:
    """`pair_id` of a prompt in canonical form and two texts that the assistant says."""
    parts = [said]
    for text in (chosen, rejected):
        size = text.str.len_bytes().cast(pl.String)
        parts += [pl.lit("\x1dassistant\x1f"), size, pl.lit(":"), text]
    return digest(pl.concat_str(parts))  # one copy of the texts: they are most of the bytes


def unit(key: pl.Expr, seed: int, purpose: str) -> pl.Expr:
    """A number in [0, 1) fixed by a string key, a seed and a purpose.

    It is how every split, cap and sample is chosen: adding rows never moves the others.
    """
    mixed = pl.concat_str(pl.lit(f"{purpose}:{seed}:"), key)
    head = _blake3(mixed).str.slice(0, 13)
    return head.str.to_integer(base=16).cast(pl.Float64) / float(16**13)
