"""prefloop what-if on real responses: other pairings of stored scores, without a model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from curation.core import ids
from curation.core.schema import GENERATIONS, MESSAGES, PROMPTS, SCORES
from pipelines.commands import what_if

ROWS = Path("../shared/data/alpaca_eval/annotations_15_models.parquet")


@pytest.fixture
def folder(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build whose iter1 holds 805 prompts x 15 models with the judge's preference as reward."""
    rows = root / ROWS
    if not rows.is_file():
        pytest.skip(f"{ROWS} is not here")
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(root / "recipes/sample.yaml", tmp_path / "params.yaml")
    asked = pl.concat_list(pl.struct(role=pl.lit("user"), content=pl.col("instruction")))
    table = (
        pl.read_parquet(rows)
        .with_columns(messages=asked.cast(MESSAGES))
        .with_columns(
            prompt_id=ids.prompt_id(pl.col("messages")),
            sample=pl.col("generator").rank("dense").cast(pl.Int64) - 1,
        )
        .with_columns(generation_id=ids.digest(pl.concat_str("prompt_id", "generator")))
    )
    _write(table)
    return tmp_path


def _write(table: pl.DataFrame) -> None:
    said = table.select(
        "generation_id", "prompt_id", "sample", response="output", token_ids=[],
        n_tokens=pl.lit(0), n_chars=pl.col("output").str.len_chars(),
        finish_reason=pl.lit("stop"), seed=None, temperature=None, policy="generator",
        policy_sha=pl.lit("-"), engine=pl.lit("imported"), engine_version=pl.lit("-"),
        template_sha=None,
    )  # fmt: skip
    judged = table.select(
        "generation_id", judge=pl.lit("gpt4"), reward=pl.col("preference") - 1, reason=None,
        judge_sha=pl.lit("-"), template_sha=pl.lit("-"), dtype=pl.lit("float64"),
    )  # fmt: skip
    pool = table.unique("prompt_id").select(
        "prompt_id", "messages", source="dataset", source_row="prompt_id", n_chars=0,
        n_tokens=None, license=pl.lit("cc-by-nc-4.0"), bucket=0.5, split=pl.lit("train"),
        map_x=0.0, map_y=0.0, cluster=0,
    )  # fmt: skip
    for path, frame, schema in (
        ("data/iterations/iter1/generations.parquet", said, GENERATIONS),
        ("data/iterations/iter1/scores.parquet", judged, SCORES),
        ("data/prompts/prompts.parquet", pool, PROMPTS),
    ):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        frame.select(pl.col(c.name).cast(c.dtype) for c in schema.columns).write_parquet(path)


def _run(capsys: pytest.CaptureFixture[str], *flags: str) -> dict[str, dict[str, dict[str, float]]]:
    assert what_if.main(["--iteration", "iter1", "--json", *flags]) == 0
    found: dict[str, dict[str, dict[str, float]]] = json.loads(capsys.readouterr().out)
    return found


def test_auto_penalty_removes_the_length_bias(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = _run(capsys, "--length-penalty", "auto")["figures"]
    pearson = found["length_adjusted_pearson"]
    assert pearson["before"] > 0.5
    assert abs(pearson["after"]) < 0.01
    assert found["chosen_chars_mean"]["change"] < -100


def test_the_same_rules_change_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    moved = _run(capsys)["changes"]
    assert moved == {"kept": 805, "flipped": 0, "added": 0, "dropped": 0}


def test_another_strategy_adds_and_drops_as_many(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = _run(capsys, "--strategy", "best_second")
    assert found["figures"]["margin_mean"]["change"] < 0
    moved = found["changes"]
    assert moved["kept"] + moved["dropped"] == 805
    tied = 3  # prompts whose two best answers have the very same preference
    assert moved["kept"] + moved["added"] == 805 - tied
    assert what_if.main(["--iteration", "iter1", "--min-margin", "0.9"]) == 0
    assert "min_margin" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--iteration", "iter9"], "iter9/generations.parquet: no such file"),
        (["--iteration", "iter1", "--strategy", "bset"], "--strategy bset: Input should be"),
        (["--iteration", "iter1", "--min-margin", "-1"], "--min-margin -1: "),
    ],
)
def test_bad_flags_give_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], flags: list[str], message: str
) -> None:
    assert what_if.main(flags) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
