"""Several judges on one scale: no judge outweighs another by its units, however rows are cut."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from curation.core.schema import SCORES
from curation.pairing import penalties, responses, scale
from curation.pairing.cut import Tables, cut
from curation.pairing.pairs import part_of
from curation.pairing.rules import Rules

CHANCE = {"p": [0.9, 0.2, 0.1], "q": [0.4, 0.3, 0.8]}  # a probability
RATING = {"p": [4.0, 9.0, 5.0], "q": [6.0, 5.0, 7.0]}  # 1 to 10


def answers() -> dict[str, list[tuple[str, float]]]:
    return {
        prompt: [(f"{prompt}{k}", chance) for k, chance in enumerate(row)]
        for prompt, row in CHANCE.items()
    }


def table(rewards: dict[str, list[float | None]]) -> pl.LazyFrame:
    rows = [
        {"generation_id": f"g{k}", "judge": judge, "reward": reward, "reason": None,
         "judge_sha": "0", "template_sha": "0", "dtype": "float32"}
        for judge, values in rewards.items()
        for k, reward in enumerate(values)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=SCORES.polars).lazy()


def test_a_rating_no_longer_drowns_a_probability(world: Callable[..., Any]) -> None:
    """Raw, the response that the one judge gives .9 is rejected, as if that judge had no say."""
    made = world(answers(), judges={"other": RATING})
    found = {}
    for how in ("raw", "standardised", "rank"):
        pairs = made.make(Rules(scale=how)).pairs.sort("prompt_id")
        found[how] = pairs.select("chosen_id", "rejected_id").rows()
    assert found["raw"] == [("p-1", "p-0"), ("q-2", "q-1")]  # means of p: 2.45, 4.6, 2.55
    assert found["standardised"] == [("p-1", "p-2"), ("q-2", "q-1")]  # sums: .28, 1.0, -1.8
    assert found["rank"] == [("p-1", "p-2"), ("q-2", "q-1")]  # means of p: .5, .75, .25


def test_what_was_combined_stands_in_the_figures(world: Callable[..., Any]) -> None:
    rules = Rules(judges={"rm": 3.0, "other": 1.0})
    made = world(answers(), judges={"other": RATING}).make(rules)
    told = made.metrics["judges"]
    assert (made.metrics["scale"], made.metrics["combine"]) == ("standardised", "mean")
    rewards = {"rm": CHANCE, "other": RATING}
    for judge, values in rewards.items():
        every = np.array(list(values.values())).ravel()
        assert told[judge] == pytest.approx(
            {"weight": rules.judges[judge], "mean": every.mean(), "std": every.std()}
        )
    for row in made.pairs.iter_rows(named=True):
        prompt, sample = row["chosen_id"].split("-")
        terms = [
            told[judge]["weight"] * (values[prompt][int(sample)] - told[judge]["mean"])
            / told[judge]["std"]
            for judge, values in rewards.items()
        ]  # fmt: skip
        assert row["chosen_reward"] == pytest.approx(sum(terms) / 4)
    assert "scale" not in world(answers()).make(Rules()).metrics


def test_a_constant_judge_adds_nothing_and_one_alone_stays_raw(
    world: Callable[..., Any],
) -> None:
    same = {"p": [0.1] * 3, "q": [0.1] * 3}
    both = world(answers(), judges={"other": same}).make(Rules())
    assert both.metrics["judges"]["other"] == {"weight": 1.0, "mean": 0.1, "std": 0.0}
    alone = world(answers()).make(Rules())
    columns = ["chosen_id", "rejected_id"]
    assert (
        both.pairs.sort("pair_id")
        .select(columns)
        .equals(alone.pairs.sort("pair_id").select(columns))
    )
    assert alone.pairs.sort("prompt_id")["chosen_reward"].to_list() == [0.9, 0.8]


def test_units_are_exact_whatever_the_order() -> None:
    generator = np.random.default_rng(1)
    values = generator.normal(size=5000) * 10.0 ** generator.integers(-8, 8, 5000)
    rules = Rules()
    rewards = {"a": values.tolist(), "b": [None, math.nan, 0.5, 0.25]}
    whole = scale.jury(table(rewards), rules).units
    shuffled = generator.permutation(values)
    other = {"a": shuffled.tolist(), "b": [0.25, 0.5]}
    assert scale.jury(table(other), rules).units == whole
    assert whole["b"] == scale.Unit(0.375, 0.125)
    assert whole["a"].mean == math.fsum(values) / 5000
    assert scale.jury(table(rewards), Rules(scale="rank")).units == {}
    assert scale.jury(table(rewards), Rules(judges={"a": 1.0})).units == {}


@pytest.mark.parametrize("how", ["standardised", "rank"])
def test_terms_of_an_iteration_are_scaled_as_the_whole(
    world: Callable[..., Any], tmp_path: Any, how: Any
) -> None:
    generator = np.random.default_rng(2)
    said = {
        f"p{n:02d}": [(f"{n} {k}" * k, float(generator.normal())) for k in range(1, 5)]
        for n in range(30)
    }
    other = {prompt: generator.integers(1, 11, 4).astype(float).tolist() for prompt in said}
    made = world(said, judges={"other": other})
    rules = Rules(scale=how, length_penalty="auto")
    whole = made.make(rules).pairs.sort("pair_id")
    tables = Tables(made.generations.lazy(), made.scores.lazy(), made.prompts.lazy(), "iter1")
    slices = cut(tables, 3, tmp_path)
    jury = scale.jury(tables.scores, rules)
    loaded = (responses.load(one.generations, one.scores, jury, rules) for one in slices)
    penalty = penalties.resolved("auto", loaded)
    pairs = pl.concat([part_of(one, jury, rules, penalty).pairs for one in slices])
    assert pairs.sort("pair_id").equals(whole)


def test_ranks_leave_out_what_cannot_be_paired() -> None:
    judged = np.array([[1.0, 5.0], [2.0, 5.0], [np.nan, np.nan], [9.0, 1.0]])
    prompts = pl.Series(["p", "p", "p", "q"])
    found = scale.scaled(judged, scale.Jury(["a", "b"], {}), prompts, Rules(scale="rank"))
    assert np.array_equal(found[[0, 1, 3]], [[0.0, 0.5], [1.0, 0.5], [0.5, 0.5]])
    assert np.isnan(found[2]).all()
