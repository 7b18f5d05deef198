"""The claims bench: its rule, its effects, its page, and the short form run through `dvc exp`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from benchmarks import claims
from benchmarks.claims_bench import report
from benchmarks.claims_bench.claims import BY_NAME, CLAIMS, at_equal_length
from benchmarks.claims_bench.verdicts import measure, together
from curation.core.errors import UserError
from pipelines.commands.repro import environment
from pipelines.core.code import PACKAGES, Code
from tests.conftest import copy_project


@pytest.mark.parametrize(
    ("effects", "over", "verdict"),
    [
        ([0.3, 0.31, 0.29], 0.0, "holds"),
        ([-0.3, -0.31, -0.29], 0.0, "does not hold"),
        ([0.3, -0.31, 0.05], 0.0, "undecided"),
        ([0.3], 0.0, "undecided"),
        ([-0.01, -0.012, -0.011], -0.05, "holds"),
        ([-0.01, -0.012, -0.011], 0.0, "does not hold"),
        ([None, None], 0.0, "undecided"),
    ],
)
def test_the_rule(effects: list[float | None], over: float, verdict: str) -> None:
    assert measure(effects, over).verdict == verdict


def test_the_interval_is_students() -> None:
    told = measure([1.0, 2.0, 3.0, 4.0, 5.0], 0.0)
    assert told.mean == 3.0
    assert told.se == pytest.approx(0.5**0.5)
    assert told.low == pytest.approx(3.0 - 2.7764451 * 0.5**0.5)  # t(0.975, 4)


def test_a_claim_is_as_good_as_its_worst_part() -> None:
    assert together(["holds", "holds"]) == "holds"
    assert together(["holds", "undecided"]) == "undecided"
    assert together(["undecided", "does not hold"]) == "does not hold"


def arms(**told: tuple[float, float]) -> dict[str, object]:
    return {"length": {name: {"chars": x, "oracle": y} for name, (x, y) in told.items()}}


def test_the_fixed_penalty_is_a_curve_over_length() -> None:
    fixed = {"mix1": (50.0, 0.5), "mix1_low": (40.0, 0.4), "mix1_high": (30.0, 0.1)}
    effect = at_equal_length("mix1_auto")
    assert effect(arms(**fixed, mix1_auto=(45.0, 0.5))) == pytest.approx(0.05)
    assert effect(arms(**fixed, mix1_auto=(35.0, 0.2))) == pytest.approx(-0.05)
    assert effect(arms(**fixed, mix1_auto=(29.0, 0.2))) is None


def test_a_page_without_markers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "measured.md").write_text("nothing")
    with pytest.raises(UserError, match="has no <!-- claims -->"):
        report.into_page(tmp_path / "measured.md", "table")
    assert (tmp_path / "measured.md").read_text() == "nothing"


def test_every_claim_reads_stages_that_it_asks_for() -> None:
    assert len([claim for claim in CLAIMS if not claim.ours]) == 6
    assert all(claim.stages <= {"models", "pairing", "loop", "length"} for claim in CLAIMS)


def test_an_unknown_revision_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    monkeypatch.chdir(root)
    assert claims.main(["--commit", "no-such-thing", "--report"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("claims: no-such-thing: no such git revision")
    assert told.count("\n") == 1


def _bench(project: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.claims", "--short", "--seeds", "1", *args],
        cwd=project,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_short_form_runs_traces_and_is_kept(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    done = _bench(project, "--only", "best_worst")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert BY_NAME["best_worst"].says in done.stdout
    (kept,) = project.glob(".work/claims/*-short/seed-1.json")
    told = json.loads(kept.read_text())
    arms_told = told["figures"]["pairing"]
    assert arms_told["best_worst"]["pairs"] == arms_told["random"]["pairs"]
    clone = kept.parent / "clone-0"
    traced = told["experiments"]["pairing"]
    show = ["git", "show", f"{traced['commit']}:params.yaml"]
    params = subprocess.run(show, cwd=clone, check=True, capture_output=True, text=True).stdout
    assert "split: 1101" in params  # seed 1 moves every seed of the recipe
    again = _bench(project, "--only", "best_worst")
    assert "0 of 1 seeds to run" in again.stdout
    assert again.stdout.splitlines()[-1] == done.stdout.splitlines()[-1]


def test_every_stage_runs_again_when_the_code_changes(root: Path) -> None:
    graph = yaml.safe_load((root / "recipes/claims/graph.yaml").read_text())["stages"]
    code = graph.pop("code")
    assert set(code["deps"]) == {"benchmarks/claims_bench", *PACKAGES}
    hashed = {word.rpartition(".")[2] for word in code["cmd"].split() if "claims_bench" in word}
    for name, stage in graph.items():
        (named,) = [one["data/code.json"] for one in stage["params"] if "data/code.json" in one]
        assert set(named) <= hashed, name


def test_a_part_of_the_bench_reaches_the_stages_that_it_calls(root: Path) -> None:
    code = Code(root, [*PACKAGES, "benchmarks"])
    arms = code.files("benchmarks.claims_bench.arms")
    assert {"pipelines/stages/dpo.py", "training/trainers/dpo.py"} <= set(arms)
    tables = code.files("benchmarks.claims_bench.tables")
    assert {"pipelines/stages/mix.py", "curation/gates/checks/asked/no_benchmark.sql"} <= set(
        tables
    )
    assert "training/trainers/dpo.py" not in tables
