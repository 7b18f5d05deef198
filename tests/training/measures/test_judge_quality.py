"""What is measured of judges, against scikit-learn and worlds of known truth."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from training.bench import rewardbench
from training.measures import judge_quality as quality


def test_a_tie_is_half_right() -> None:
    assert quality.verdicts(np.array([0.9, 0.5, 0.1])).tolist() == [1.0, 0.5, 0.0]


def test_a_calibrated_judge_has_no_calibration_error_and_a_boastful_one_has() -> None:
    generator = np.random.default_rng(2)
    sure = generator.uniform(0.5, 1.0, 50_000)
    right = generator.uniform(size=50_000) < sure
    calibrated = quality.calibration(np.where(right, sure, 1 - sure))
    assert calibrated["ece"] < 0.01
    boastful = quality.calibration(np.where(right, 0.999, 0.001))
    assert boastful["ece"] == pytest.approx(0.999 - right.mean(), abs=1e-9)
    assert boastful["brier"] > calibrated["brier"]


def test_kappa_is_scikit_learns() -> None:
    generator = np.random.default_rng(3)
    left = generator.uniform(size=300) < 0.6
    right = left ^ (generator.uniform(size=300) < 0.2)
    found = quality.agreement({"a": left, "b": right})
    assert found[0]["kappa"] == pytest.approx(metrics.cohen_kappa_score(left, right), abs=1e-12)
    assert np.isnan(quality.kappa(np.ones(4, bool), np.ones(4, bool)))


def test_fifths_hold_all_rows_and_show_where_a_judge_fails() -> None:
    values = np.arange(1000.0)
    right = (values >= 200).astype(float)
    bins = quality.by_fifth(right, values)
    assert [row["pairs"] for row in bins] == [200] * 5
    assert bins[0]["accuracy"] < 0.01
    assert [row["accuracy"] for row in bins[1:]] == [1.0] * 4
    assert quality.by_fifth(right, np.full(1000, np.nan)) == []
    assert len(quality.by_fifth(right, np.ones(1000))) == 1


def test_an_accuracy_says_over_how_many_prompts_its_interval_is() -> None:
    right = np.array([1.0, 1, 1, 0, 0, 0, np.nan])
    found = quality.accuracy(right, ["a", "a", "a", "b", "b", "b", "c"])
    assert (found["accuracy"], found["pairs"], found["prompts"]) == (0.5, 6, 2)
    alone = quality.accuracy(right)
    assert found["high"] - found["low"] > alone["high"] - alone["low"]
    parts = quality.by_label(right, list("xyxyxyx"), ["a", "a", "a", "b", "b", "b", "c"])
    assert (parts["x"]["pairs"], parts["x"]["prompts"], parts["y"]["prompts"]) == (3, 2, 2)


def test_cycles_of_a_ranking_are_none_and_of_coins_a_quarter() -> None:
    generator = np.random.default_rng(4)
    quality_of = generator.normal(size=(4000, 3))
    a, b, c = quality_of.T
    ranked = [(x > y).astype(float) for x, y in ((a, b), (b, c), (c, a))]
    assert quality.cycle_rate(*ranked)["cycle_rate"] == 0.0
    coins = [generator.uniform(size=4000) for _ in range(3)]
    assert quality.cycle_rate(*coins)["cycle_rate"] == pytest.approx(0.25, abs=0.03)
    assert quality.cycle_rate(*[np.zeros(0)] * 3)["cycle_rate"] is None


def test_triples_need_three_different_texts() -> None:
    assert list(quality.triples([["x", "x", "y"], ["x", "y", "x", "z", "w"]])) == [
        (1, "x", "y", "z")
    ]


FULL = {
    "alpacaeval-easy": 100, "alpacaeval-length": 95, "alpacaeval-hard": 95, "mt-bench-easy": 28,
    "mt-bench-med": 40, "mt-bench-hard": 37, "math-prm": 447, "refusals-dangerous": 100,
    "refusals-offensive": 100, "llmbar-natural": 100, "llmbar-adver-neighbor": 134,
    "llmbar-adver-GPTInst": 92, "llmbar-adver-GPTOut": 47, "llmbar-adver-manual": 46,
    "xstest-should-refuse": 154, "xstest-should-respond": 250, "donotanswer": 136, "hep-cpp": 164,
    "hep-go": 164, "hep-java": 164, "hep-js": 164, "hep-python": 164, "hep-rust": 164,
}  # fmt: skip


def test_rewardbench_weights_are_the_published_ones() -> None:
    """Row counts of the published set; math weighs 984 there, as the library has it."""
    generator = np.random.default_rng(5)
    subsets = [name for name, rows in FULL.items() for _ in range(rows)]
    assert len(subsets) == 2985
    right = (generator.uniform(size=2985) < 0.7).astype(float)
    found = rewardbench.scores(subsets, right)
    weights = {**FULL, "math-prm": 984}
    for section, members in rewardbench.SECTIONS.items():
        by_hand = np.average(
            [found["subsets"][name]["accuracy"] for name in members],
            weights=[weights[name] for name in members],
        )
        assert found["sections"][section] == pytest.approx(by_hand, abs=1e-12)
    assert found["score"] == pytest.approx(np.mean(list(found["sections"].values())), abs=1e-12)
    assert found["unknown"] == 0


def test_rewardbench_without_all_sections_has_no_score() -> None:
    found = rewardbench.scores(["donotanswer", "made-up"], np.array([1.0, 0.0]))
    assert found["score"] is None
    assert found["sections"]["Safety"] == 1.0
    assert found["unknown"] == 1
