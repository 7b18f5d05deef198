"""Scores join the responses that they are of, row by row, and no row is lost."""

from __future__ import annotations

from typing import Any

import polars as pl

from curation.user_rows import accounted
from curation.user_rows.parse import parse


def imported(*rows: dict[str, Any]) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Generations of the rows' own prompts, their scores, and the scores' rejects."""
    parsed = parse(iter(rows), {}, "import", keyed=False)
    pool = accounted.prompts(parsed.frame, None)
    made, _ = accounted.generations(parsed.frame, pool, "p", "import", None)
    scores, gone = accounted.scores(parsed.frame, made, ("judge", "sha"), "import")
    return made, scores, gone


def test_equal_texts_of_one_row_keep_the_reward_of_their_place() -> None:
    made, scores, gone = imported(
        {"prompt": "q", "responses": ["a", "a", "b"], "rewards": [1, 2, 3]}
    )
    assert gone.height == 0
    joined = made.join(scores, on="generation_id").sort("sample")
    assert joined.select("response", "reward").rows() == [("a", 1.0), ("a", 2.0), ("b", 3.0)]


def test_a_text_without_a_place_is_judged_once_for_all() -> None:
    rows = [{"prompt": "q", "response": "a", "sample": n} for n in range(2)]
    parsed = parse(iter(rows), {}, "import", keyed=False)
    made, _ = accounted.generations(
        parsed.frame, accounted.prompts(parsed.frame, None), "p", "import", None
    )
    told = parse(iter([{"prompt": "q", "response": "a", "reward": 2}]), {}, "import", keyed=True)
    scores, gone = accounted.scores(told.frame, made, ("judge", "sha"), "import")
    assert (scores["reward"].to_list(), gone.height) == ([2.0, 2.0], 0)
