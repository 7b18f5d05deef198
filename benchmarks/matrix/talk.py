"""What is asked, and what others have answered: contents that tokenizers stumble on."""

from __future__ import annotations

from typing import Any

import polars as pl

from curation.core import ids, schema

Messages = list[dict[str, str]]

ASKED: list[Messages] = [
    [{"role": "user", "content": "Name a bird.\n\nTwo words,  no more."}],
    [
        {"role": "user", "content": " Which bird dives? "},
        {"role": "assistant", "content": "A dipper.\n\nIt  swims."},
        {"role": "user", "content": "And an <h1>owl</h1>?"},
    ],
    [{"role": "user", "content": "def f(x):\n    return x + 1\n\n\n\t# 1,000"}],
    [{"role": "user", "content": "猫 and 🙂: translate."}],
]
HELD_OUT: list[Messages] = [
    [{"role": "user", "content": "Sing."}],
    [{"role": "user", "content": "What is 2 + 2?"}],
]
ANSWERS: list[tuple[str, str]] = [
    ("A wren.\n\n- It  sings.\n", " Leading and trailing blanks "),
    ("<think>\nshort\n</think>\n\nmeow", "It was cut in the mid"),
    ("<b>x</b> & `y` [z] {w}", "def f(x):\n    return x\n"),
    ("日本の鳥、안녕 🙂", "  two  blanks"),
]
CUT = "It was cut in the mid"  # the one that a limit has ended


def pool() -> pl.DataFrame:
    """The prompts table: those to sample in buckets from 0.1, those held out at 0.9."""
    rows = [(asked, 0.1, "train") for asked in ASKED] + [(one, 0.9, "eval") for one in HELD_OUT]
    frame = pl.DataFrame(
        rows, schema={"messages": schema.MESSAGES, "bucket": pl.Float64, "split": pl.String},
        orient="row",
    )  # fmt: skip
    return frame.with_columns(
        prompt_id=ids.prompt_id(pl.col("messages")),
        source=pl.lit("made"),
        source_row=pl.lit("0"),
        n_chars=pl.lit(0, dtype=pl.Int64),
        n_tokens=pl.lit(0, dtype=pl.Int64),
        license=pl.lit("none"),
        map_x=pl.lit(0.0),
        map_y=pl.lit(0.0),
        cluster=pl.lit(0, dtype=pl.Int64),
    ).select(schema.PROMPTS.names)


def rows() -> list[dict[str, Any]]:
    """What others have answered, as rows of a user's file."""
    return [
        {
            "prompt": asked,
            "response": text,
            "reward": float(place),
            "finish_reason": "length" if text == CUT else "stop",
        }
        for asked, answers in zip(ASKED, ANSWERS, strict=True)
        for place, text in enumerate(answers)
    ]
