"""dvc.yaml lists what each stage really depends on, and gives exactly the stages it should."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest
import yaml

from curation.gates.sql_checks import folders_of
from pipelines.core import params
from pipelines.core.code import code_of
from pipelines.shared.graph import is_code, rewrite, stage_module, stages
from pipelines.shared.recipes import resolve

ROOT = Path(__file__).resolve().parents[3]
CONFIG = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))


@pytest.mark.parametrize("name", list(CONFIG["stages"]))
def test_code_dependencies_are_the_imports(name: str) -> None:
    body = stages(CONFIG)[name]
    derived = set(code_of(stage_module(body["cmd"]), ROOT))
    listed = {
        path.relative_to(ROOT).as_posix()
        for dep in body["deps"]
        if is_code(dep, ROOT)
        for path in ([ROOT / dep] if dep.endswith(".py") else (ROOT / dep).rglob("*.py"))
        if path.name != "__init__.py" or len(ast.parse(path.read_text("utf-8")).body) > 1
    }
    folders = tuple(f"{dep}/" for dep in body["deps"] if not is_code(dep, ROOT))
    assert listed == {path for path in derived if not path.startswith(folders)}, "prefloop deps"


def test_a_gate_depends_on_the_folders_of_its_checks() -> None:
    kinds = ("preference", "sft", "prompts", "benchmark")
    for body in stages(CONFIG).values():
        table = body["cmd"].partition("--table-name ")[2].partition(" ")[0]
        listed = {dep for dep in body["deps"] if dep.startswith("curation/gates/checks/")}
        for kind in kinds if table else ():
            folders = ("any", *folders_of(table.replace("${item.kind}", kind)))
            needed = {f"curation/gates/checks/{folder}" for folder in folders}
            assert needed <= {dep.replace("${item.kind}", kind) for dep in listed}, table


@pytest.mark.parametrize("name", list(CONFIG["stages"]))
def test_every_path_of_a_command_is_a_dependency_or_an_output(name: str) -> None:
    body = stages(CONFIG)[name]
    told = {
        next(iter(one)) if isinstance(one, dict) else one
        for key in ("deps", "outs", "metrics")
        for one in body.get(key, [])
    }
    for word in body["cmd"].split():
        path = word.partition("=")[2] or word
        if path.startswith(("data/", "curation/")) and name != "report":
            assert path in told


def test_imports_are_followed_through_packages_and_functions(tmp_path: Path) -> None:
    for name, text in {
        "pipelines/__init__.py": '"""Bare: no dependency."""\n',
        "pipelines/a.py": "def f():\n    from curation import b\n",
        "curation/__init__.py": '"""Not bare."""\nONE = 1\n',
        "curation/b.py": "from . import c\nimport os\n",
        "curation/c.py": "",
        "curation/unused.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert code_of("pipelines.a", tmp_path) == [
        "curation/__init__.py",
        "curation/b.py",
        "curation/c.py",
        "pipelines/a.py",
    ]


def test_rewrite_adds_what_is_missing_and_then_is_a_no_op(tmp_path: Path) -> None:
    for folder in ("pipelines", "curation", "training"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    text = (ROOT / "dvc.yaml").read_text("utf-8")
    (tmp_path / "dvc.yaml").write_text(text.replace("        - pipelines/stages/mix.py\n", ""))
    assert rewrite(tmp_path / "dvc.yaml") == ["mix"]
    assert rewrite(tmp_path / "dvc.yaml") == []


@pytest.mark.parametrize("recipe", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_recipe_gives_exactly_its_stages(recipe: Path) -> None:
    read = params.load(recipe)
    over = {
        "sources": ["fetch", "standardize", "gate_source"],
        "mixes": ["mix", "gate_mix", "reward_model", "length_bias"],
        "iterations": [
            *("generate", "gate_generations", "score", "gate_scores", "pair", "gate_pairs"),
            *("expect_iteration", "history", "gate_history", "reference", "gate_reference", "dpo"),
        ],
    }
    wanted = {
        *("base", "sft_mix", "gate_sft_mix", "sft", "preference_model", "prompts", "gate_prompts"),
        *("expect_sources", "expect_mixes", "history_offline", "reference_offline"),
        *("pairs_offline", "gate_offline", "dpo_offline", "report"),
    }
    for section, names in over.items():
        wanted |= {f"{name}@{key}" for name in names for key in getattr(read, section)}
    for name in ("evaluate", "gate_evaluation"):
        wanted |= {f"{name}@{policy}" for policy in read.evaluation.policies}
    assert set(resolve(recipe, ROOT / "dvc.yaml")) == wanted
