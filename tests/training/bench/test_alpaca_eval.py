"""AlpacaEval's arithmetic on real annotations, and on worlds whose truth is known."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import special, stats

from training.bench.alpaca_eval import Baseline, leaderboard
from training.bench.annotated import Annotation
from training.measures.length_control import GPT4_TURBO, usual_length

# length_controlled_winrate and standard_error of the public leaderboard of AlpacaEval 2.
PUBLISHED = {
    "claude-2": (28.155196, 1.174828),
    "Mixtral-8x7B-Instruct-v0.1_concise": (22.962609, 1.071868),
    "gpt-3.5-turbo-0301": (18.093242, 0.912966),
    "gpt35_turbo_instruct": (17.727801, 0.872407),
    "humpback-llama2-70b": (16.249164, 0.940181),
    "vicuna-13b-v1.5-togetherai": (11.685357, 0.782538),
    "wizardlm-13b": (9.828151, 0.704420),
    "nous-hermes-13b": (9.717863, 0.708124),
    "openbuddy-falcon-40b-v9": (8.988936, 0.738862),
    "alpaca-farm-ppo-sim-gpt4-20k": (7.121808, 0.583490),
    "alpaca-7b": (5.875487, 0.487086),
    "falcon-40b-instruct": (5.607533, 0.554113),
    "phi-2": (4.398682, 0.449659),
}


@pytest.fixture(scope="module")
def real(root: Path) -> Path:
    path = root.parent / "shared/data/alpaca_eval/annotations_15_models.parquet"
    if not path.is_file():
        pytest.skip("the AlpacaEval annotations are not here (../shared/data)")
    return path


@pytest.fixture(scope="module")
def board(real: Path) -> dict[str, dict[str, float]]:
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "alpaca-eval", str(real), "--json"],
        cwd=Path(__file__).resolve().parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    return {row["model"]: row for row in json.loads(done.stdout)}


def test_the_win_rate_is_the_mean_preference(
    board: dict[str, dict[str, float]], real: Path
) -> None:
    means = pl.read_parquet(real).group_by("generator").agg((pl.col("preference") - 1).mean() * 100)
    assert len(board) == 15
    for model, mean in means.iter_rows():
        assert board[model]["win_rate"] == pytest.approx(mean, abs=1e-9)
    for model, (_, error) in PUBLISHED.items():
        assert board[model]["standard_error"] == pytest.approx(error, abs=2e-6)


def test_length_control_moves_every_model_as_the_public_leaderboard_does(
    board: dict[str, dict[str, float]],
) -> None:
    ours = [board[model]["length_controlled_winrate"] for model in PUBLISHED]
    theirs = [value for value, _ in PUBLISHED.values()]
    plain = [board[model]["win_rate"] for model in PUBLISHED]
    assert stats.spearmanr(ours, theirs).statistic >= 0.98
    assert np.abs(np.subtract(ours, theirs)).mean() < 1.0
    assert (np.sign(np.subtract(ours, plain)) == np.sign(np.subtract(theirs, plain))).all()


def test_a_model_alone_reads_as_the_public_leaderboard_does(real: Path) -> None:
    table = pl.read_parquet(real).with_columns(
        mine=pl.col("output").str.len_chars(),
        base=pl.col("output").str.len_chars().median().over("instruction"),
    )
    off = []
    for model, (theirs, _) in PUBLISHED.items():
        part = table.filter(pl.col("generator") == model)
        scale = 2049 / part["base"].mean()
        rows = [
            Annotation(
                model, row["instruction"], row["preference"], row["mine"], row["base"] * scale
            )
            for row in part.iter_rows(named=True)
        ]
        (found,) = leaderboard(rows, GPT4_TURBO)
        off.append(found["length_controlled_winrate"] - theirs)
    assert np.abs(off).mean() <= 1.1
    assert abs(np.mean(off)) <= 0.5


def world(slope: float, longer: dict[str, int], baseline_chars: bool) -> list[Annotation]:
    """Models of equal ability that differ in length alone, judged with a taste for length."""
    generator = np.random.default_rng(3)
    rows = []
    for item in range(400):
        reference = int(generator.integers(800, 1600))
        for model, shift in longer.items():
            chars = reference + shift + int(generator.normal(0, 200))
            preference = 1.0 + float(special.expit(slope * np.tanh((chars - reference) / 200)))
            known = reference if baseline_chars else None
            rows.append(Annotation(model, str(item), preference, chars, known))
    return rows


def test_models_that_only_differ_in_length_are_equal_at_equal_length() -> None:
    rows = world(1.0, {"short": -150, "same": 0, "long": 150}, baseline_chars=True)
    found = {row["model"]: row for row in leaderboard(rows)}
    assert found["long"]["win_rate"] - found["short"]["win_rate"] > 20
    for row in found.values():
        assert row["length_controlled_winrate"] == pytest.approx(50.0, abs=1.0)


def test_without_a_taste_for_length_nothing_moves() -> None:
    rows = world(0.0, {"short": -150, "long": 150}, baseline_chars=True)
    for row in leaderboard(rows):
        assert row["length_controlled_winrate"] == pytest.approx(row["win_rate"], abs=0.5)


def test_the_baseline_itself_is_fifty_and_unknown_lengths_are_not_guessed() -> None:
    rows = world(1.0, {"long": 150, "base": 0}, baseline_chars=False)
    found = {row["model"]: row for row in leaderboard(rows, baseline=Baseline("base", 1200.0))}
    assert found["base"]["length_controlled_winrate"] == 50.0
    assert found["long"]["length_controlled_winrate"] is None


def test_the_usual_length_is_the_scaled_median_of_the_instruction() -> None:
    instruction = np.array([0, 1, 0, 1, 0])
    chars = np.array([1.0, 10.0, 3.0, 20.0, 2.0])
    assert usual_length(instruction, chars, 17.0) == pytest.approx([4, 30, 4, 30, 4])


def test_the_order_of_rows_does_not_matter() -> None:
    rows = world(1.0, {"short": -150, "long": 150}, baseline_chars=True)
    once, again = leaderboard(rows), leaderboard(rows[::-1])
    for left, right in zip(once, again, strict=True):
        assert left["model"] == right["model"]
        assert left["length_controlled_winrate"] == pytest.approx(
            right["length_controlled_winrate"], abs=1e-6
        )
