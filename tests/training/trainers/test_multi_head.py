"""The multi-head reward model: heads that predict ratings, a gate that reads the prompt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from curation.core.errors import UserError
from curation.core.errors import UserError as TableError
from curation.sources import ratings
from tests.models import user
from training.engines.settings import Engine
from training.judges import pairwise
from training.judges.multi_head import MultiHeadJudge
from training.trainers import multi_head
from training.trainers.examples import Comparison

ATTRIBUTES = ["bark", "loud"]


def rated() -> list[multi_head.Rated]:
    """Two attributes: whether it says woof, how many marks it ends with; some are not rated."""
    rows = []
    for k in range(120):
        says, marks, asks = ("woof", "moo")[k % 2], k % 4, ("bark", "loud")[k % 3 % 2]
        loud = None if k % 5 == 0 else marks / 3
        values = (1.0 if says == "woof" else 0.0, loud)
        rows.append(multi_head.Rated(user(f"{asks} {k}?"), f"{says} {'!' * marks}", values))
    return rows


def pairs(count: int) -> list[Comparison]:
    """Prompts that ask for a bark want woof; prompts that ask for noise want marks."""
    made = []
    for k in range(count):
        if k % 2:
            made.append(Comparison(f"p{k}", user(f"bark {k}?"), "woof", "moo !!!"))
        else:
            made.append(Comparison(f"p{k}", user(f"loud {k}?"), "moo !!!", "woof"))
    return made


@pytest.fixture(scope="module")
def trained(reward_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "multi"
    metrics = multi_head.train(
        "multi_head/test", reward_model, ATTRIBUTES, rated(), pairs(60), out=path,
        batch_tokens=4096, seed=3,
    )  # fmt: skip
    assert metrics["heads"]["bark"]["r2"] > 0.9
    assert metrics["heads"]["loud"]["rows"] == 96
    return path


def test_the_gate_reads_the_prompt_alone(trained: Path) -> None:
    judge = MultiHeadJudge(trained, 4096)
    prompts = [user(f"{word} {k}?") for word in ("bark", "loud") for k in range(100, 110)]
    gates = judge.gates([(prompt, "woof") for prompt in prompts])
    assert gates.sum(axis=1) == pytest.approx(np.ones(20), abs=1e-6)
    assert (gates >= 0).all()
    assert np.array_equal(gates, judge.gates([(prompt, "moo !!!") for prompt in prompts]))
    assert len(np.unique(gates[:, 0])) > 1


def test_it_answers_opposite_tastes_that_its_single_head_cannot(
    trained: Path, reward_model: Path
) -> None:
    fresh = [(item.prompt, item.chosen, item.rejected) for item in pairs(120)[60:]]
    single, multi = (
        (pairwise.load(path, Engine()).ask(fresh).first_wins > 0.5).mean()
        for path in (reward_model, trained)
    )
    assert single <= 0.6  # it likes woof, whatever is asked
    assert multi > 0.8


def test_batches_do_not_matter_and_training_repeats(
    trained: Path, reward_model: Path, tmp_path: Path
) -> None:
    items = [(item.prompt, item.chosen) for item in pairs(10)]
    alone = [verdict.reward for verdict in MultiHeadJudge(trained, 1).judge(items)]
    together = [verdict.reward for verdict in MultiHeadJudge(trained, 4096).judge(items)]
    assert together == pytest.approx(alone, abs=1e-4)
    multi_head.train(
        "multi_head/test", reward_model, ATTRIBUTES, rated(), pairs(60), out=tmp_path / "again",
        batch_tokens=4096, seed=3,
    )  # fmt: skip
    left, right = (folder / multi_head.HEADS for folder in (trained, tmp_path / "again"))
    assert left.read_bytes() == right.read_bytes()


def test_an_attribute_that_nobody_rated_is_one_line(reward_model: Path, tmp_path: Path) -> None:
    rows = [multi_head.Rated(user("q"), f"a {k}", (0.5, None)) for k in range(20)]
    with pytest.raises(UserError, match="loud: only 0 ratings"):
        multi_head.train(
            "m", reward_model, ATTRIBUTES, rows, pairs(4), out=tmp_path / "m",
            batch_tokens=4096, seed=1,
        )  # fmt: skip
    with pytest.raises(UserError, match="is no multi_head checkpoint"):
        MultiHeadJudge(reward_model, 4096)


def test_ratings_become_shares_and_missing_ones_stay_missing() -> None:
    helpsteer = pl.DataFrame(
        {
            "prompt": ["q", "q"], "response": ["a", " "], "helpfulness": [4, 0],
            "correctness": [2, 1], "coherence": [None, 4],
        },
        schema_overrides={"coherence": pl.Int64},
    )  # fmt: skip
    aspects = {name: {"Rating": "5"} for name in ratings.ASPECTS}
    answer = {"response": "b", "annotations": {**aspects, "honesty": {"Rating": "N/A"}}}
    ultra = pl.DataFrame({"instruction": ["p"], "completions": [[answer]]})
    rows, names = ratings.gather({"helpsteer": helpsteer, "ultrafeedback": ultra})
    assert names[:3] == ["helpsteer-helpfulness", "helpsteer-correctness", "helpsteer-coherence"]
    assert rows.select("prompt", "response").rows() == [("p", "b"), ("q", "a")]
    first, second = rows.to_dicts()
    assert first["ultrafeedback-honesty"] is None
    assert first["ultrafeedback-helpfulness"] == 1.0
    assert second["helpsteer-correctness"] == 0.5
    assert second["helpsteer-coherence"] is None
    with pytest.raises(TableError, match="no response of these sets has a rating"):
        ratings.gather({"helpsteer": helpsteer.clear()})
