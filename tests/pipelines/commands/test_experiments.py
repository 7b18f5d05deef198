"""prefloop experiments and dvc plots on a real DVC repository with real experiments."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from curation.audit.report.experiments import differences
from pipelines.commands import experiments
from tests.conftest import ROOT
from tests.curation.audit.tiny import write_build

DVC = Path(sys.executable).parent / "dvc"
CONFIG = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))


def run(*command: str) -> str:
    words = [str(DVC) if word == "dvc" else word for word in command]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": path, "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The report stage of the real graph over the tiny build, committed, and one experiment."""
    folder = tmp_path_factory.mktemp("experiments")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("GIT_AUTHOR_NAME", "test")
        patch.setenv("GIT_AUTHOR_EMAIL", "test@example.invalid")
        patch.setenv("GIT_COMMITTER_NAME", "test")
        patch.setenv("GIT_COMMITTER_EMAIL", "test@example.invalid")
        write_build(folder / "data")
        shutil.copyfile(ROOT / "recipes" / "sample.yaml", "params.yaml")
        Path(".gitignore").write_text("/data\n/dvc_plots\n")
        stage = {key: CONFIG["stages"]["report"][key] for key in ("cmd", "outs")}
        stage["params"] = ["report", "pairs"]
        shown = {"stages": {"report": stage}} | {key: CONFIG[key] for key in ("metrics", "plots")}
        Path("dvc.yaml").write_text(yaml.safe_dump(shown))
        run("git", "init", "-q", "-b", "main")
        run("dvc", "init", "-q")
        shutil.copytree(ROOT / ".dvc" / "plots", ".dvc/plots")
        shutil.copyfile(ROOT / ".dvc" / "config", ".dvc/config")
        run("dvc", "repro", "-q")
        run("git", "add", "-A")
        run("git", "commit", "-qm", "baseline")
        run("dvc", "exp", "run", "-q", "-n", "short", "-S", "report.pairs_sample=1")
        yield folder


def test_the_index_shows_what_differs_and_links_the_reports(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert experiments.main([]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "3 runs; they differ in report.pairs_sample"
    folder = repository / "data/report/experiments"
    page = (folder / "index.html").read_text("utf-8")
    assert "http-equiv" in page
    for name in ("workspace", "main", "short"):
        assert page.count(f">{name}</a>") == 1
    (report,) = folder.glob("short-*/index.html")
    assert report.read_text("utf-8").count('<article class="pair"') == 1
    assert (report.parent / "iterations" / "iter1.html").is_file()
    (base,) = folder.glob("main-*/index.html")
    assert base.read_text("utf-8").count('<article class="pair"') == 2


def test_the_same_as_json(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert experiments.main(["--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    runs = {one["name"]: one for one in found["runs"]}
    assert [one["kind"] for one in found["runs"]] == ["now", "commit", "experiment"]
    assert runs["short"]["params"] == {"report.pairs_sample": 1}
    assert runs["main"]["params"] == {"report.pairs_sample": 200}
    assert runs["short"]["figures"]["best"] == "iter1"
    assert runs["short"]["figures"]["reward"] == 1.0


def test_dvc_plots_shows_every_declared_figure_that_the_build_has(repository: Path) -> None:
    found = json.loads(run("dvc", "plots", "diff", "main", "short", "--json"))["data"]
    drawn = found["policies"][0]["content"]
    values = {(row["rev"], row["policy"], row["value"]) for row in drawn["data"]["values"]}
    assert ("short", "iter1", 1.0) in values
    assert ("main", "sft", 0.5) in values
    assert found["data/report/figures/drops.svg"][0]["type"] == "image"
    declared = {name if isinstance(name, str) else next(iter(name)) for name in CONFIG["plots"]}
    assert set(found) <= declared


def test_dvc_metrics_is_a_table_of_policies_mixes_and_judges(repository: Path) -> None:
    lines = run("dvc", "metrics", "show").splitlines()
    assert lines[0].split() == ["Path", "kl", "win_rate"]
    assert [line.split()[0] for line in lines[1:]] == [
        "data/metrics/policy/iter1.json",
        "data/metrics/policy/sft.json",
    ]
    assert max(map(len, lines)) <= 160


def test_dvc_exp_show_of_what_changed_is_narrow(repository: Path) -> None:
    heading = run("dvc", "exp", "show", "--only-changed", "--csv").splitlines()[0].split(",")
    assert "report.pairs_sample" in heading
    assert len(heading) <= 40


def test_the_page_of_dvc_plots_asks_no_server(repository: Path) -> None:
    run("dvc", "plots", "diff", "main", "short")
    page = Path("dvc_plots/index.html").read_text("utf-8")
    assert page.count("vegaEmbed(") > 1
    assert "<script src" not in page
    assert "<link" not in page


def test_it_needs_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert experiments.main([]) == 2
    assert capsys.readouterr().err.startswith("experiments: params.yaml: no such file")


def test_differences_are_by_dotted_key() -> None:
    one = {"a": {"b": 1, "c": [1, 2]}, "d": None}
    assert differences([one, {"a": {"b": 2, "c": [1, 2]}, "d": None}]) == ["a.b"]
    assert differences([one, {"a": {"b": 1, "c": [1, 2]}}]) == ["d"]
    assert differences([one, one]) == []
