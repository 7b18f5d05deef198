"""The whole graph, run once by real DVC at a reduced size, and what must hold of the build."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import yaml

from curation.audit import catalog
from curation.core.schema import (
    GENERATIONS,
    HISTORY,
    PAIRS,
    PREFERENCES,
    REFERENCE,
    REJECTS,
    SCORES,
)
from pipelines.commands.repro import environment
from pipelines.core.io import read, read_json
from tests.conftest import copy_build

pytestmark = pytest.mark.slow

ITERATIONS = ["iter1", "iter2"]


def _dvc(project: Path, *args: str) -> str:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "dvc"), *args],
        cwd=project,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def _stage(project: Path, module: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"pipelines.{module}", *args],
        cwd=project,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def _changed(project: Path) -> set[str]:
    return set(json.loads(_dvc(project, "status", "--json")))


@pytest.fixture(scope="session")
def build(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which the reduced recipe was built from nothing."""
    return copy_build(finished, tmp_path_factory.mktemp("build"))


@pytest.fixture
def params(build: Path) -> Iterator[Path]:
    """The build's params.yaml, put back after the test."""
    path = build / "params.yaml"
    before = path.read_bytes()
    yield path
    path.write_bytes(before)


def _edit(path: Path, change: object) -> None:
    recipe = yaml.safe_load(path.read_text("utf-8"))
    change(recipe)  # type: ignore[operator]
    path.write_text(yaml.safe_dump(recipe, sort_keys=False), "utf-8")


def test_a_second_repro_has_nothing_to_do(build: Path) -> None:
    assert "up to date" in _dvc(build, "repro")


def test_the_ledger_of_every_source_balances(build: Path) -> None:
    metrics = sorted((build / "data/sources").glob("*/*/metrics.json"))
    assert len(metrics) == len(read_json_yaml(build)["sources"])
    for path in metrics:
        told = read_json(path)
        rejects = read(path.parent / "rejects.parquet", REJECTS)
        kept = pl.scan_parquet(path.parent / "table.parquet").select(pl.len()).collect().item()
        assert told["kept"] == kept
        assert told["rejected"] == rejects.height
        assert told["rows_in"] == kept + rejects.height, path


def read_json_yaml(build: Path) -> dict[str, dict[str, object]]:
    """The build's recipe as plain data."""
    recipe: dict[str, dict[str, object]] = yaml.safe_load((build / "params.yaml").read_text())
    return recipe


def test_the_ledger_is_the_plan_of_the_planted_defects(build: Path) -> None:
    plan = json.loads((build / "data/sample/defects.json").read_text())["plan"]
    for name, source in read_json_yaml(build)["sources"].items():
        if source["kind"] != "preference" or "limit" in source:  # type: ignore[index, operator]
            continue
        found = dict(
            read(build / f"data/sources/preference/{name}/rejects.parquet", REJECTS)
            .group_by("rule")
            .len()
            .iter_rows()
        )
        wanted = {rule: n for rule, n in plan[name].items() if rule != "benchmark"}
        assert found == wanted, name


def test_every_prompt_of_an_iteration_is_paired_or_in_the_ledger(build: Path) -> None:
    for iteration in ITERATIONS:
        folder = build / "data/iterations" / iteration
        told = read_json(folder / "pair.json")
        pairs = read(folder / "pairs.parquet", PAIRS)
        rejects = read(folder / "pair_rejects.parquet", REJECTS)
        sampled = read(folder / "generations.parquet", GENERATIONS)["prompt_id"].n_unique()
        unpaired = rejects.filter(pl.col("rule") != "failed_score")["item_id"].n_unique()
        assert (told["pairs"], told["rejects"]) == (pairs.height, rejects.height)
        assert pairs["prompt_id"].n_unique() + unpaired == sampled
        assert pairs.height > 0
        assert (pairs["chosen_adjusted"] > pairs["rejected_adjusted"]).all()


def test_scores_are_one_per_response_and_vary(build: Path) -> None:
    scores = read(build / "data/iterations/iter1/scores.parquet", SCORES)
    generated = pl.read_parquet(build / "data/iterations/iter1/generations.parquet")
    assert set(scores["generation_id"]) == set(generated["generation_id"])
    assert scores["reward"].n_unique() > scores.height // 2


@pytest.mark.skipif(
    importlib.util.find_spec("vllm") is None,
    reason="vllm is not installed; requirements-test.lock pins it",
)
def test_vllm_fills_the_same_table(build: Path, params: Path, tmp_path: Path) -> None:
    _edit(params, lambda recipe: recipe["engine"].update(name="vllm"))
    _edit(params, lambda recipe: recipe["iterations"]["iter1"].update(limit=12))
    done = _stage(
        build,
        "stages.generate",
        *("--iteration", "iter1", "--policy", "data/checkpoints/sft"),
        *("--prompts", "data/prompts/prompts.parquet"),
        *("--table", str(tmp_path / "generations.parquet")),
        *("--rejects", str(tmp_path / "rejects.parquet")),
        *("--metrics", str(tmp_path / "metrics.json")),
    )
    assert done.returncode == 0, done.stderr[-4000:]
    drawn = read(tmp_path / "generations.parquet", GENERATIONS)
    known = read(build / "data/iterations/iter1/generations.parquet", GENERATIONS)
    both = drawn.join(known, on=["prompt_id", "sample"], how="left", suffix="_known")
    rejects = read(tmp_path / "rejects.parquet", REJECTS)
    assert drawn.height + rejects.height == 12 * 4
    assert drawn.height > rejects.height
    assert set(drawn["engine"]) == {"vllm"}
    assert (both["seed"] == both["seed_known"]).all()
    assert (both["policy_sha"] == both["policy_sha_known"]).all()


def test_history_grows_and_references_are_computed_once(build: Path) -> None:
    known: dict[str, tuple[float, float]] = {}
    for iteration in ITERATIONS:
        folder = build / "data/iterations" / iteration
        history = read(folder / "history.parquet", HISTORY)
        reference = read(folder / "reference.parquet", REFERENCE)
        assert set(reference["pair_id"]) == set(history["pair_id"])
        rows = {row["pair_id"]: row for row in reference.iter_rows(named=True)}
        for pair, values in known.items():
            assert (rows[pair]["ref_chosen_logps"], rows[pair]["ref_rejected_logps"]) == values
        assert len(rows) > len(known)
        known = {
            pair: (row["ref_chosen_logps"], row["ref_rejected_logps"]) for pair, row in rows.items()
        }


def test_no_held_out_prompt_is_in_any_training_table(build: Path) -> None:
    held_out = set(
        pl.read_parquet(build / "data/prompts/prompts.parquet").filter(pl.col("split") == "eval")[
            "prompt_id"
        ]
    )
    assert held_out
    for iteration in ITERATIONS:
        history = read(build / f"data/iterations/{iteration}/history.parquet", HISTORY)
        assert held_out.isdisjoint(history["prompt_id"])


def test_every_gate_passed_and_docs_were_written(build: Path) -> None:
    found = catalog.checks(catalog.documents(build / "data"))
    tables = {(check.gate, check.table_name) for check in found}
    sources = yaml.safe_load((build / "params.yaml").read_text("utf-8"))["sources"]
    assert {f"gates/source_{one['kind']}/{name}" for name, one in sources.items()} <= {
        gate for gate, _ in tables
    }
    assert len(tables) > 30
    assert all(check.passed for check in found)
    assert list(build.glob("data/docs/sources/**/index.html"))


def test_the_report_is_one_page_without_the_network(build: Path) -> None:
    page = (build / "data/report/index.html").read_text("utf-8")
    assert "iter2" in page
    for needle in ('src="http', 'href="http', "@import", "url(http"):
        assert needle not in page
    summary = read_json(build / "data/report/summary.json")
    assert json.dumps(summary)


def test_a_changed_pairing_touches_pairs_and_nothing_before(build: Path, params: Path) -> None:
    _edit(params, lambda recipe: recipe["pairs"].update(length_penalty=0.001))
    assert _changed(build) == {"code", "pair@iter1", "pair@iter2", "report"}  # code checks params


def test_a_new_iteration_adds_only_its_own_stages(build: Path, params: Path) -> None:
    def add(recipe: dict[str, dict[str, object]]) -> None:
        recipe["iterations"]["iter3"] = {
            **recipe["iterations"]["iter2"],  # type: ignore[dict-item]
            "policy": "iter2",
            "prompts": [0.60, 0.62],
        }

    _edit(params, add)
    changed = _changed(build)
    assert {name for name in changed if not name.endswith("@iter3")} == {"code", "report"}
    assert len(changed) == 14


def test_only_imported_code_counts(build: Path) -> None:
    for name, expected in {
        "benchmarks/unused.py": set(),
        "curation/gates/checks/pairs/README.md": {"gate_pairs@iter1", "gate_pairs@iter2"},
        "pipelines/stages/pair.py": {"pair@iter1", "pair@iter2"},
    }.items():
        path = build / name
        before = path.read_bytes() if path.exists() else None
        path.parent.mkdir(exist_ok=True)
        path.write_bytes((before or b"") + b"\n# a comment\n")
        try:
            _dvc(build, "repro", "--quiet", "--single-item", "code")
            assert _changed(build) == expected
        finally:
            path.unlink() if before is None else path.write_bytes(before)
    _dvc(build, "repro", "--quiet", "--single-item", "code")
    assert _changed(build) == set()


@pytest.mark.parametrize(
    "stage",
    [
        "mix@mix1",
        "prompts",
        "generate@iter1",
        "pair@iter1",
        "reward_model@mix1",
        "dpo@iter1",
        "report",
    ],
)
def test_forcing_a_stage_leaves_the_lock_as_it_was(build: Path, stage: str) -> None:
    before = (build / "dvc.lock").read_bytes()
    _dvc(build, "repro", "--force", "--single-item", "--quiet", stage)
    assert (build / "dvc.lock").read_bytes() == before


def _fails(build: Path, output: Path, module: str, *args: str) -> str:
    """Run a stage that must fail: exit code 2, one line, its earlier output as it was."""
    before = output.read_bytes()
    done = _stage(build, module, *args)
    assert done.returncode == 2, done.stdout + done.stderr
    assert output.read_bytes() == before
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1
    return lines[0]


def _standardize(build: Path, native: Path, source: str = "hh_rlhf") -> list[str]:
    folder = build / "data/sources/preference/hh_rlhf"
    return [
        *("--source", source, "--native", str(native)),
        *("--tokenizer", str(build / "data/checkpoints/base/tokenizer.json")),
        *("--table", str(folder / "table.parquet"), "--rejects", str(folder / "rejects.parquet")),
        *("--metrics", str(folder / "metrics.json")),
    ]


def test_bad_input_is_one_line_and_leaves_the_outputs(build: Path, tmp_path: Path) -> None:
    table = build / "data/sources/preference/hh_rlhf/table.parquet"
    native = build / "data/sources/preference/hh_rlhf/native.parquet"
    short, torn = tmp_path / "short.parquet", tmp_path / "torn.parquet"
    pl.read_parquet(native).drop("rejected").write_parquet(short)
    torn.write_bytes(native.read_bytes()[:1000])
    assert "rejected" in _fails(build, table, "stages.standardize", *_standardize(build, short))
    assert "torn.parquet" in _fails(build, table, "stages.standardize", *_standardize(build, torn))
    missing = tmp_path / "none.parquet"
    assert "none.parquet" in _fails(
        build, table, "stages.standardize", *_standardize(build, missing)
    )
    unknown = _standardize(build, native, "nope")
    assert "nope" in _fails(build, table, "stages.standardize", *unknown)


def _mix1(build: Path, sources: Path) -> list[str]:
    folder = build / "data/mixes/mix1"
    return [
        *("--mix", "mix1", "--sources", str(sources)),
        *("--benchmarks", str(build / "data/sources/benchmark")),
        *("--prompts", str(build / "data/prompts/prompts.parquet")),
        *("--table", str(folder / "mix.parquet"), "--rejects", str(folder / "rejects.parquet")),
        *("--metrics", str(folder / "metrics.json")),
    ]


def test_a_mix_of_empty_sources_names_the_mix(build: Path, tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    for name in read_json_yaml(build)["mixes"]["mix1"]["members"]:  # type: ignore[index, attr-defined]
        (sources / name).mkdir(parents=True)
        PREFERENCES.empty().write_parquet(sources / name / "table.parquet")
    mix = build / "data/mixes/mix1/mix.parquet"
    assert "mix1: its members hold no row" in _fails(
        build, mix, "stages.mix", *_mix1(build, sources)
    )


def test_a_mix_left_empty_names_the_rule_that_dropped_most(build: Path, params: Path) -> None:
    def empty(recipe: dict[str, dict[str, object]]) -> None:
        for member in recipe["mixes"]["mix1"]["members"].values():  # type: ignore[index]
            member["weight"] = 0.0

    _edit(params, empty)
    sources = build / "data/sources/preference"
    line = _fails(
        build, build / "data/mixes/mix1/mix.parquet", "stages.mix", *_mix1(build, sources)
    )
    assert "mix1: its filters leave no row" in line
    assert "most drops: weight" in line


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda recipe: recipe["pairs"].update(lenght_penalty=1), "pairs.lenght_penalty"),
        (lambda recipe: recipe["iterations"]["iter2"].update(policy="iter7"), "iter7"),
        (lambda recipe: recipe["sources"]["shp"].update(path="gone.parquet"), "sources.shp.path"),
    ],
)
def test_repro_refuses_a_bad_recipe_before_dvc_starts(
    build: Path, params: Path, change: object, says: str
) -> None:
    _edit(params, change)
    page = build / "data/report/index.html"
    before = page.stat().st_mtime_ns
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "repro"],
        cwd=build,
        env={**os.environ, **environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert page.stat().st_mtime_ns == before
