"""pair, history and check as commands: the same bytes twice, one line and 2 on bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from curation.core.schema import (
    GENERATIONS,
    HISTORY,
    MESSAGES,
    MIXES,
    PAIRS,
    PROMPTS,
    REJECTS,
    SCORES,
)
from curation.pairing import cut
from pipelines.core.params.text import read
from pipelines.shared import recipe_text
from pipelines.stages import gate, history, history_offline, pair

Command = Callable[[list[str]], int]


@pytest.fixture
def folder(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the shipped parameters and one iteration of 30 prompts x 4."""
    monkeypatch.chdir(tmp_path)
    whole = recipe_text.text(read(root / "recipes/sample.yaml"))
    (tmp_path / "params.yaml").write_text(whole, "utf-8")
    ids = [(f"p{i:02}", j) for i in range(30) for j in range(4)]
    generations = pl.DataFrame(
        [
            {
                "generation_id": f"{p}-{j}", "prompt_id": p, "sample": j,
                "response": f"answer {'x' * (j * 3)} {p}", "token_ids": [1] * (j + 1),
                "n_tokens": j + 1, "n_chars": 11 + 3 * j, "finish_reason": "stop", "seed": j,
                "temperature": 1.0, "policy": "sft", "policy_sha": "s",
                "engine": "transformers", "engine_version": "1",
            }
            for p, j in ids
        ],
        schema=GENERATIONS.polars,
    )  # fmt: skip
    scores = pl.DataFrame(
        [
            {
                "generation_id": f"{p}-{j}", "judge": "rm",
                "reward": None if (p, j) == ("p07", 1) else float((j * 7 + int(p[1:])) % 5),
                "reason": "failed" if (p, j) == ("p07", 1) else None, "judge_sha": "j",
                "template_sha": "t", "dtype": "float32",
            }
            for p, j in ids
        ],
        schema=SCORES.polars,
    )  # fmt: skip
    prompts = pl.DataFrame(
        {"prompt_id": [f"p{i:02}" for i in range(30)]}
    ).with_columns(
        source=pl.lit("toy"), source_row="prompt_id", n_chars=3, n_tokens=None,
        license=pl.lit("mit"),
        messages=pl.concat_list(pl.struct(role=pl.lit("user"), content="prompt_id")).cast(MESSAGES),
        bucket=0.1, split=pl.lit("train"), map_x=0.0, map_y=0.0, cluster=0,
    )  # fmt: skip
    generations.write_parquet("generations.parquet")
    scores.write_parquet("scores.parquet")
    prompts.select(pl.col(c.name).cast(c.dtype) for c in PROMPTS.columns).write_parquet(
        "prompts.parquet"
    )
    return tmp_path


def _pair() -> int:
    flags = (
        "--iteration iter1 --generations generations.parquet --scores scores.parquet "
        "--prompts prompts.parquet --table pairs.parquet --rejects rejects.parquet "
        "--metrics pair.json"
    )
    return pair.main(flags.split(" "))


def _offline() -> int:
    flags = "--mixes . --table h0.parquet --metrics h0.json"
    return history_offline.main(flags.split(" "))


def _history(iteration: str, previous: str, table: str) -> int:
    return history.main(
        f"--iteration {iteration} --previous {previous} --pairs pairs.parquet --table {table} "
        f"--rejects {iteration}_rejects.parquet --metrics {iteration}.json".split()
    )


def _gate(name: str, table: str, *views: str) -> int:
    flags = [flag for view in views for flag in ("--view", view)]
    return gate.main(["--table-name", name, "--table", table, "--report", "checks.json", *flags])


def _params(folder: Path, old: str, new: str) -> None:
    path = folder / "params.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_pair_writes_pairs_ledger_and_metrics_twice_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _pair() == 0
    assert "30 in, 30 kept, 1 rejected, 120 responses" in capsys.readouterr().out
    names = ("pairs.parquet", "rejects.parquet", "pair.json")
    first = [Path(name).read_bytes() for name in names]
    for name in ("generations", "scores", "prompts"):
        frame = pl.read_parquet(f"{name}.parquet")
        frame.sample(fraction=1, shuffle=True, seed=3).write_parquet(f"{name}.parquet")
    assert _pair() == 0
    assert [Path(name).read_bytes() for name in names] == first
    assert pl.read_parquet("pairs.parquet").schema == PAIRS.polars
    rejects = pl.read_parquet("rejects.parquet")
    assert rejects.schema == REJECTS.polars
    assert rejects.select("stage", "item_id", "rule").rows() == [
        ("pair@iter1", "p07-1", "failed_score")
    ]
    metrics = json.loads(Path("pair.json").read_text())
    assert metrics["pairs"] == 30
    assert metrics["yield"] == 1.0


@pytest.mark.parametrize("strategy", ["best_worst", "top_k_bottom_k", "random"])
@pytest.mark.parametrize(("penalty", "most"), [("0.01", "PART"), ("auto", "TEXT")])
def test_pairing_in_parts_gives_the_same_bytes(
    folder: Path, monkeypatch: pytest.MonkeyPatch, strategy: str, penalty: str, most: str
) -> None:
    _params(folder, "strategy: best_worst", f"strategy: {strategy}")
    _params(folder, "length_penalty: 0.0", f"length_penalty: {penalty}")
    assert _pair() == 0
    names = ("pairs.parquet", "rejects.parquet", "pair.json")
    first = [Path(name).read_bytes() for name in names]
    monkeypatch.setattr(pair, most, 25)
    monkeypatch.setattr(cut, "ROWS", 7)
    cuts: list[int] = []
    monkeypatch.setattr(pair, "cut", lambda tables, n, at: cuts.append(n) or cut.cut(tables, n, at))
    assert _pair() == 0
    assert [Path(name).read_bytes() for name in names] == first
    assert cuts[0] > 1
    for name in ("generations", "scores", "prompts"):
        frame = pl.read_parquet(f"{name}.parquet")
        frame.sample(fraction=1, shuffle=True, seed=3).write_parquet(f"{name}.parquet")
    assert _pair() == 0
    assert [Path(name).read_bytes() for name in names] == first


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        (("generations", "generation_id", "p07-2"), "generation_id p07-2 occurs twice"),
        (("generations", "prompt_id", None), "generations: generation_id and prompt_id may not"),
        (("scores", "generation_id", None), "scores: generation_id may not be null"),
        (("scores", "generation_id", "zz"), "generations lacks, first zz"),
        (("scores", "generation_id", "a"), "generations lacks, first a"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_parts_refuse_ids_that_fit_nothing(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    spoilt: tuple[str, str, str | None],
    told: str,
) -> None:
    name, column, value = spoilt
    frame = pl.read_parquet(f"{name}.parquet")
    odd = frame.head(1).with_columns(generation_id=pl.lit("new"))
    odd = odd.with_columns(pl.lit(value, dtype=pl.String).alias(column))
    pl.concat([frame, odd]).write_parquet(f"{name}.parquet")
    monkeypatch.setattr(pair, "PART", 25)
    assert _pair() == 2
    assert told in capsys.readouterr().err


def test_a_bad_reward_leaves_the_earlier_tables(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _pair() == 0
    before = Path("pairs.parquet").read_bytes()
    scores = pl.read_parquet("scores.parquet")
    scores.with_columns(reward=pl.lit(float("nan"))).write_parquet("scores.parquet")
    assert _pair() == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert Path("pairs.parquet").read_bytes() == before
    assert not list(folder.glob(".*.tmp"))


@pytest.mark.usefixtures("folder")
def test_scores_that_all_failed_make_no_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    failed = pl.lit(None, dtype=pl.Float64).alias("reward")
    scores = pl.read_parquet("scores.parquet").with_columns(failed, reason=pl.lit("timeout"))
    scores.write_parquet("scores.parquet")
    assert _pair() == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not Path("pairs.parquet").exists()


def test_history_and_its_gate(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _pair() == 0
    assert _offline() == 0
    assert pl.read_parquet("h0.parquet").schema == HISTORY.polars
    assert _history("iter1", "h0.parquet", "h1.parquet") == 0
    assert _history("iter2", "h1.parquet", "h2.parquet") == 0
    assert "30 kept, 30 rejected, by origin iter1 30" in capsys.readouterr().out
    views = ("pairs=pairs.parquet", "prompts=prompts.parquet", "rejects=iter2_rejects.parquet")
    assert _gate("history", "h2.parquet", *views) == 0
    pl.read_parquet("prompts.parquet").with_columns(split=pl.lit("eval")).write_parquet(
        "prompts.parquet"
    )
    assert _gate("history", "h2.parquet", *views) == 2
    assert "not_held_out: 30 rows break it" in capsys.readouterr().err


def test_history_refuses_a_pair_that_is_there_twice_and_a_table_of_none(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _pair() == 0
    assert _offline() == 0
    pairs = pl.read_parquet("pairs.parquet")
    pl.concat([pairs, pairs]).write_parquet("pairs.parquet")
    assert _history("iter1", "h0.parquet", "h1.parquet") == 2
    first = pairs["pair_id"].sort()[0]
    assert f"pair_id {first} occurs twice" in capsys.readouterr().err
    pairs.clear().write_parquet("pairs.parquet")
    assert _history("iter1", "h0.parquet", "h1.parquet") == 2
    assert "pairs.parquet: holds no pair" in capsys.readouterr().err
    assert not (folder / "h1.parquet").exists()


def test_history_of_an_unknown_iteration(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _pair() == 0
    assert _offline() == 0
    assert _history("iter99", "h0.parquet", "h1.parquet") == 2
    assert "iterations: none is named iter99" in capsys.readouterr().err


def test_offline_history_takes_the_mix(folder: Path) -> None:
    assert _pair() == 0
    _params(folder, "offline: null", "offline: mix1")
    _params(folder, "offline_cap: null", "offline_cap: 4")
    rows = pl.read_parquet("pairs.parquet").with_columns(split=pl.lit("train"))
    mix = rows.with_columns(
        source=pl.lit("toy"), source_row=pl.lit("1"), chosen_score=None, rejected_score=None,
        prompt_chars=1, prompt_tokens=None, turns=1, annotator=pl.lit("human"),
        license=pl.lit("mit"), chosen_model=None, rejected_model=None,
    )  # fmt: skip
    Path("mix1").mkdir()
    mix.select(pl.col(c.name).cast(c.dtype) for c in MIXES.columns).write_parquet(
        "mix1/mix.parquet"
    )
    assert _offline() == 0
    assert pl.read_parquet("h0.parquet")["origin"].to_list() == ["offline"] * 4
    assert json.loads(Path("h0.json").read_text())["origins"] == {"offline": 4}


def test_gates_of_the_loop_hold(folder: Path) -> None:
    assert _pair() == 0
    pool, said = "prompts=prompts.parquet", "generations=generations.parquet"
    REJECTS.empty().write_parquet("none.parquet")
    Path("counts.json").write_text('{"rows_in": 30}')
    sampled = (pool, "rejects=none.parquet", "counts=counts.json")
    assert _gate("generations", "generations.parquet", *sampled) == 0
    assert _gate("scores", "scores.parquet", said) == 0
    more = ("rejects=rejects.parquet", "metrics=pair.json")
    assert _gate("pairs", "pairs.parquet", pool, said, *more) == 0
    report = json.loads(Path("checks.json").read_text())
    assert report["passed"]
    assert report["table"] == "pairs"


def test_a_failing_gate_writes_its_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = pl.read_parquet("scores.parquet")
    scores.filter(pl.col("generation_id") != "p03-2").write_parquet("scores.parquet")
    assert _gate("scores", "scores.parquet", "generations=generations.parquet") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "scored_once: 1 rows break it" in error
    assert "generation_id=p03-2, judge=rm, judgements=0" in error
    report = json.loads(Path("checks.json").read_text())
    (failed,) = [one for one in report["checks"] if one["violations"]]
    assert failed["examples"] == [{"generation_id": "p03-2", "judge": "rm", "judgements": 0}]


@pytest.mark.parametrize(
    ("views", "message"),
    [
        ([], "check scored_once reads generations; give it with --view generations=PATH"),
        (["generations"], "--view generations: want NAME=PATH"),
        (["generations=nowhere.parquet"], "nowhere.parquet: no such file"),
        (["generations=scores.parquet"], "scores.parquet: lacks prompt_id"),
        (["generations=params.yaml"], "params.yaml: not a readable Parquet file"),
    ],
)
def test_bad_views_give_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], views: list[str], message: str
) -> None:
    assert _gate("scores", "scores.parquet", *views) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
