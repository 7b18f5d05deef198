"""Generated comparisons for measurements: multi-turn, lengths and compressibility of real text.

Words are drawn from a vocabulary with Zipf's frequencies, so that a column of responses compresses
like real ones: zstd 3 makes 2.9 of AlpacaEval's and 3.0 of HH-RLHF's bytes one, and 2.9 of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

CONTROL = "<|user|>"
BATCH = 32_768
WORDS, WIDTH, SLOTS = 8_000, 12, 65_536
CONTEXT, RESPONSE, SHORTEST = 250, 500, 12  # mean characters of a turn, of a response; at least
TURNS = (1, 1, 3, 3, 5)


def comparisons(rows: int, seed: int) -> Iterator[pl.DataFrame]:
    """Frames of rows of the rlhflow form; one row in ten breaks a structural rule.

    Columns chosen and rejected are whole conversations of 1 to 5 turns of context; the faults are,
    2.5% each: identical responses, a blank response, unequal prompts, a control token.
    """
    rng = np.random.default_rng(seed)
    for start in range(0, rows, BATCH):
        yield _batch(min(BATCH, rows - start), rng)


def _batch(rows: int, rng: Any) -> pl.DataFrame:
    turns = rng.choice(TURNS, rows)
    contexts = int(turns.sum())
    means = [np.full(contexts, CONTEXT), np.full(3 * rows, RESPONSE), np.ones(1)]
    lengths = np.maximum(SHORTEST, rng.exponential(np.concatenate(means))).astype(np.int64)
    chosen, rejected, other = (contexts + place * rows + np.arange(rows) for place in range(3))
    blank = np.int64(len(lengths) - 1)
    text, ends = _text(int(lengths.sum()), rng), np.cumsum(lengths)
    text[ends[blank] - lengths[blank] :] = ord(" ")
    fault = rng.random(rows)
    for place, letter in enumerate(CONTROL.encode()):  # at the end of the chosen response
        text[ends[chosen[(fault >= 0.075) & (fault < 0.1)]] - len(CONTROL) + place] = letter
    answers = np.where(fault < 0.025, chosen, np.where(fault < 0.05, blank, rejected))
    asked = np.where((fault >= 0.05) & (fault < 0.075), other, -1)
    texts = pa.LargeStringArray.from_buffers(
        len(lengths), pa.py_buffer(np.concatenate([[0], ends])), pa.py_buffer(text)
    )
    sides = {
        "chosen": _conversations(texts, turns, chosen, np.full(rows, -1)),
        "rejected": _conversations(texts, turns, answers, asked),
    }
    return pl.DataFrame(pl.from_arrow(pa.table(sides)))


def _conversations(texts: Any, turns: Any, answers: Any, last: Any) -> Any:
    """Each row's context, its last turn replaced where `last` names a text, and its answer."""
    ends = np.cumsum(turns + 1)
    starts = ends - turns - 1
    places = np.zeros(ends[-1], dtype=np.int64)
    inside = np.ones(len(places), dtype=bool)
    inside[ends - 1] = False
    places[inside] = np.arange(int(turns.sum()))
    places[ends - 1] = answers
    places[ends[last >= 0] - 2] = last[last >= 0]
    number = np.arange(len(places)) - np.repeat(starts, turns + 1)
    roles = pa.array(["user", "assistant"]).take(pa.array(number % 2))
    said = pa.StructArray.from_arrays([roles, texts.take(pa.array(places))], ["role", "content"])
    return pa.LargeListArray.from_arrays(pa.array(np.concatenate([[0], ends])), said)


def _text(size: int, rng: Any) -> Any:
    """So many bytes of words and spaces."""
    words = _words()
    found: list[Any] = []
    while size > 0:
        letters = words[rng.integers(0, SLOTS, size // 5 + 64, dtype=np.uint16)].reshape(-1)
        found.append(letters[letters != 0][:size])
        size -= len(found[-1])
    return np.concatenate(found)


@cache
def _words() -> Any:
    """Words as rows of bytes, a space behind each, zeros to WIDTH; each as often as it is said."""
    rng = np.random.default_rng(0)
    ranks = np.arange(1, WORDS + 1)
    lengths = np.minimum(WIDTH - 1, 2 + rng.poisson(np.minimum(4, np.log(ranks + 1))))
    letters = rng.choice(np.frombuffer(b"eeetttaaoinshrdlu", np.uint8), (WORDS, WIDTH))
    place = np.arange(WIDTH)
    letters[place >= lengths[:, None]] = 0
    letters[place == lengths[:, None]] = ord(" ")
    chances = np.cumsum(1 / ranks)
    return letters[np.searchsorted(chances / chances[-1], (np.arange(SLOTS) + 0.5) / SLOTS)]
