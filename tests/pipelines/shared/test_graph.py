"""Each stage names its own code and paths, and a recipe gives exactly the stages it should."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from curation.gates.sql_checks import checks_of
from pipelines.core import params
from pipelines.core.code import PACKAGES
from pipelines.shared.recipes import resolve

ROOT = Path(__file__).resolve().parents[3]
CONFIG = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))


def stages() -> dict[str, dict[str, Any]]:
    """Each stage's own mapping of dvc.yaml, below `do` where it is a foreach."""
    return {name: body.get("do", body) for name, body in CONFIG["stages"].items()}


def code_of(body: dict[str, Any]) -> list[str]:
    """The keys of data/code.json that a stage names."""
    named = [one for one in body["params"] if isinstance(one, dict)]
    keys = [key for one in named for key in one.get("data/code.json", [])]
    return [key for key in keys if not key.startswith("pins.")]


@pytest.mark.parametrize("name", [name for name in CONFIG["stages"] if name != "code"])
def test_a_stage_names_the_hash_of_its_own_code(name: str) -> None:
    body = stages()[name]
    module = body["cmd"].split()[2].removeprefix("pipelines.stages.")
    table = body["cmd"].partition("--table-name ")[2].partition(" ")[0]
    assert code_of(body) == [f"{module}.{table}" if table else module]
    assert not any(dep.startswith(PACKAGES) for dep in body.get("deps", []))


def test_the_first_stage_depends_on_all_code_and_checks_the_recipe() -> None:
    first = CONFIG["stages"]["code"]
    assert set(first["deps"]) == {*PACKAGES, "params.yaml", "recipes/pins.json"}
    assert first["cmd"].endswith("--params params.yaml")


@pytest.mark.parametrize("name", list(CONFIG["stages"]))
def test_every_path_of_a_command_is_a_dependency_or_an_output(name: str) -> None:
    body = stages()[name]
    told = {
        next(iter(one)) if isinstance(one, dict) else one
        for key in ("deps", "outs")
        for one in body.get(key, [])
    }
    for word in shlex.split(body["cmd"]):
        path = word.partition("=")[2] or word
        if path.startswith(("data/", "curation/")) and name != "report":
            assert told & {path.partition("/*/")[0], str(Path(path).parent)}


KINDS = ("preference", "sft", "prompts", "benchmark")
GATES = [name for name, body in stages().items() if "stages.gate " in body["cmd"]]


def bounds(table: str, views: list[str]) -> set[str]:
    """The bounds that a gate's checks read, as keys of params.yaml."""
    found = set()
    for check in checks_of(table, [*views, "bounds"]):
        found |= set(re.findall(r"getvariable\('(\w+)'\)", check.sql))
        if "bounds" in check.needs:
            found.add("max_rule_rate")
    return {f"gates.{name}" for name in found}


@pytest.mark.parametrize("name", GATES)
def test_a_gate_names_the_bounds_that_its_checks_read(name: str) -> None:
    body = stages()[name]
    told = {key for key in body["params"] if isinstance(key, str) and key.startswith("gates")}
    (table,) = re.findall(r"--table-name (\S+)", body["cmd"])
    views = re.findall(r"--view '?(\w+)=", body["cmd"])
    for kind in KINDS if "${item}" in table else [""]:
        assert told == bounds(table.replace("${item}", kind), views)


def test_the_suites_name_the_bounds_that_they_read() -> None:
    code = (ROOT / "pipelines/stages/expectations.py").read_text("utf-8")
    told = {
        key
        for name, body in stages().items()
        for key in body.get("params", [])
        if name.startswith("expect_") and isinstance(key, str)
    }
    assert told == set(re.findall(r"gates\.(?:max|min|chosen)\w+", code))


@pytest.mark.parametrize(
    ("table", "consumer"),
    [
        ("data/sources/preference", "mix"),
        ("data/sources/benchmark", "mix"),
        ("data/sources/sft", "sft_mix"),
        ("data/sources/benchmark", "sft_mix"),
        ("data/sources/prompts", "prompts"),
        ("data/sources/benchmark", "prompts"),
        ("data/sources/preference", "pairs_offline"),
    ],
)
def test_who_reads_sources_depends_on_their_gate(table: str, consumer: str) -> None:
    deps = stages()[consumer]["deps"]
    assert any(dep.startswith(table) for dep in deps)
    assert f"data/gates/source_{table.rpartition('/')[2]}.json" in deps


@pytest.mark.parametrize("recipe", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_recipe_gives_exactly_its_stages(recipe: Path) -> None:
    read = params.load(recipe)
    over = {
        "sources": ["fetch", "standardize"],
        "mixes": ["mix", "gate_mix", "reward_model", "length_bias"],
        "iterations": [
            *("generate", "gate_generations", "score", "gate_scores", "pair", "gate_pairs"),
            *("expect_iteration", "history", "gate_history", "reference", "gate_reference", "dpo"),
        ],
    }
    wanted = {
        *(
            "code",
            "contract",
            "no_rows",
            "base",
            "sft_mix",
            "gate_sft_mix",
            "sft",
            "preference_model",
            "prompts",
            "gate_prompts",
        ),
        *("expect_sources", "expect_mixes", "history_offline", "reference_offline"),
        *("pairs_offline", "gate_offline", "dpo_offline", "gate_evaluation", "report"),
    }
    for section, names in over.items():
        wanted |= {f"{name}@{key}" for name in names for key in getattr(read, section)}
    wanted |= {f"evaluate@{policy}" for policy in read.evaluation.policies}
    wanted |= {f"gate_source@{kind}" for kind in KINDS}
    assert set(resolve(recipe, ROOT / "dvc.yaml")) == wanted


def test_a_recipe_without_sft_or_a_set_for_it_gives_the_same_graph(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "extends: ci\nremove: [sources.sharegpt, sources.gpteacher, sft_mix, base]\n"
        "base: {uri: hf://org/instruct, chat_template: from_model}\nsft: null\n"
    )
    whole = set(resolve(ROOT / "recipes/ci.yaml", ROOT / "dvc.yaml"))
    gone = {
        f"{name}@{key}" for name in ("fetch", "standardize") for key in ("sharegpt", "gpteacher")
    }
    assert set(resolve(tmp_path / "mine.yaml", ROOT / "dvc.yaml")) == whole - gone
