"""The files that a recipe names are there and hold what it says, or the key is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from curation.core.errors import UserError
from pipelines.core import params
from pipelines.core.params.text import Recipe, read
from pipelines.shared import recipe_files

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _in_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def _refusal(key: str, value: Any, recipe: str = "sample") -> str:
    """What is said of a recipe with one dotted key set."""
    values = json.loads(json.dumps(read(Path(f"recipes/{recipe}.yaml")).values))
    *parents, last = key.split(".")
    at = values
    for parent in parents:
        at = at.setdefault(parent, {})
    at[last] = value
    changed = Recipe(values, ((Path("mine.yaml"), values),))
    with pytest.raises(UserError) as caught:
        recipe_files.check(changed, params.check(changed))
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix("mine.yaml: ")


@pytest.mark.parametrize("name", ["sample", "ci", "llama3-8b", "gemma-2b", "smollm2", "qwen3-8b"])
def test_shipped_recipes_hold(name: str) -> None:
    recipe = read(Path(f"recipes/{name}.yaml"))
    recipe_files.check(recipe, params.check(recipe))


def test_the_local_recipe_differs_in_its_sources_alone() -> None:
    hub, local = read(Path("recipes/smollm2.yaml")), read(Path("recipes/smollm2-local.yaml"))
    ours, theirs = dict(hub.values), dict(local.values)
    named = (ours.pop("sources"), theirs.pop("sources"))
    assert ours == theirs
    assert set(named[0]) == set(named[1])
    params.check(local)
    if not Path("../shared/data").is_dir():
        with pytest.raises(UserError, match=r"no file \.\./shared/data/"):
            recipe_files.check(local, params.check(local))
        pytest.skip("../shared/data is not here: the local recipe's rows can't be looked at")
    recipe_files.check(local, params.check(local))


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        (
            "sources.shp.path",
            "data/sample/shp.parqet",
            "shp.parqet; did you mean shp.parquet?",
        ),
        ("sources.shp.path", "data/nowhere/*.json", "no file matches data/nowhere/*.json"),
        ("evaluation.oracle.file", "data/sample/wrld.py", "did you mean world.py? or mend"),
        ("evaluation.oracle.file", "data/sample", "no file data/sample/oracle.py; "),
        (
            "evaluation.oracle.function",
            "rewardd",
            "data/sample/world.py has no function rewardd; did you mean reward?",
        ),
        ("dpo.launch", "recipes/accelerate/cpu3.yaml", "did you mean cpu2.yaml? or see"),
        ("dpo.launch", "recipes/judges/rating.yaml", "is no accelerate config"),
        ("sft.launch", "recipes/accelerate/cpu3.yaml", "did you mean cpu2.yaml? or see"),
    ],
)
def test_a_wrong_file_names_the_key(key: str, value: Any, says: str) -> None:
    said = _refusal(key, value)
    assert said.startswith(f"{key}: ")
    assert says in said


@pytest.mark.parametrize(
    ("judge", "says"),
    [
        ({"kind": "llm", "path": "recipes/judges/ratings.yaml"}, "path: no file or folder"),
        ({"kind": "llm", "path": "recipes/accelerate/cpu2.yaml"}, "path: recipes/accelerate"),
        (
            {"kind": "function", "path": "data/sample/world.py", "function": "rewrad"},
            "mean reward?",
        ),
        ({"kind": "function", "path": "params.yaml", "function": "reward"}, "is no Python file"),
        (
            {
                "kind": "function",
                "path": "params.yaml",
                "function": "training.judges.exact_answer.rewards",
            },
            "has no function rewards; did you mean reward?",
        ),
        (
            {"kind": "function", "path": "params.yaml", "function": "training.judge.f"},
            "no Python module training.judge",
        ),
    ],
)
def test_a_judge_that_cannot_judge_is_refused(judge: dict[str, Any], says: str) -> None:
    more = {"server": {"model": "m"}} if judge["kind"] == "llm" else {}
    said = _refusal("judges", {"one": {**judge, **more}})
    assert said.startswith("judges.one.")
    assert says in said


def test_pins_hold_commits_that_agree(tmp_path: Path) -> None:
    pins = tmp_path / "pins.json"
    pins.write_text('{"shp": "main"}')
    assert "main is no commit" in _refusal("sources.shp.path", str(pins), "llama3-8b")
    pins.write_text("[]")
    assert "is no file of pins" in _refusal("sources.shp.path", str(pins), "llama3-8b")
    assert "no file of pins" in _refusal("sources.shp.path", "recipes/pns.json", "llama3-8b")
    assert "not of the form" in _refusal("sources.shp.uri", "hf://stanfordnlp", "llama3-8b")


def test_a_model_in_a_folder_says_itself_whether_it_has_a_template(tmp_path: Path) -> None:
    base = {"corpus": "sharegpt", "uri": str(tmp_path), "chat_template": "from_model"}
    assert "holds no config.json" in _refusal("base", base)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "tokenizer_config.json").write_text("{}")
    assert _refusal("base", base).startswith("base.chat_template: ")
