"""A panel end to end as the graph runs it: pins, scores by several judges, weights, pairs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from curation.core import schema
from curation.core.errors import UserError
from pipelines import cli
from pipelines.core import params
from pipelines.core.params.judges import ServedRewardModelJudge
from pipelines.shared import panel
from pipelines.stages import gate, judge, pair, score

ROOT = Path(__file__).resolve().parents[3]
PINS = Path("data/checkpoints/reward_models/panel")
FOLDER = Path("data/iterations/iter1")
CODE = "def reward(prompt, response):\n    return {sign}len(response)\n"


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A working folder with imported generations and a recipe whose panel has two judges."""
    monkeypatch.chdir(tmp_path)
    rows = [
        {"prompt": f"{k}+1?", "response": f"{'so ' * n}A: {k + n}"}
        for k in range(6)
        for n in range(4)
    ]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    answers = [{"prompt": f"{k}+1?", "answer": f"#### {k + 1}"} for k in range(6)]
    Path("answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in answers))
    Path("rules.py").write_text(CODE.format(sign=""))
    new = ("--new-prompts", "data/prompts/prompts.parquet")
    assert (
        cli.main(["import", "generations", "--from", "rows.jsonl", "--iteration", "iter1", *new])
        == 0
    )
    found: dict[str, Any] = yaml.safe_load((ROOT / "recipes/sample.yaml").read_text())
    found["scoring"]["reward_model"] = "panel"
    exact = "training.judges.exact_answer.reward"
    found["judges"] = {
        "long": {"kind": "function", "path": "rules.py", "function": "reward"},
        "right": {"kind": "function", "path": "answers.jsonl", "function": exact},
    }
    put(found)
    return found


def put(recipe: dict[str, Any]) -> None:
    Path("params.yaml").write_text(yaml.safe_dump(recipe))


def pin(name: str, path: str) -> int:
    out = PINS / name / "pin.json"
    return judge.main(["--name", name, "--path", path, "--pin", str(out)])


def pin_all(recipe: dict[str, Any]) -> None:
    for name, section in recipe["judges"].items():
        assert pin(name, section["path"]) == 0


def scored(judges: Path = PINS) -> int:
    flags = {
        "iteration": "iter1",
        "judge": judges,
        "generations": FOLDER / "generations.parquet",
        "prompts": "data/prompts/prompts.parquet",
        "table": FOLDER / "scores.parquet",
        "metrics": FOLDER / "score.json",
    }
    return score.main([word for key, value in flags.items() for word in (f"--{key}", str(value))])


def rewards() -> pl.DataFrame:
    table = pl.read_parquet(FOLDER / "scores.parquet")
    texts = pl.read_parquet(FOLDER / "generations.parquet", columns=["generation_id", "response"])
    return table.join(texts, on="generation_id")


def test_every_judge_writes_its_rows_and_the_gate_holds(recipe: dict[str, Any]) -> None:
    pin_all(recipe)
    assert scored() == 0
    got = rewards()
    assert got.group_by("judge").len().sort("judge").rows() == [("long", 24), ("right", 24)]
    right = got.filter(judge="right")
    assert right["reward"].sum() == 6
    assert right["reason"].null_count() == 24
    figures = json.loads((FOLDER / "score.json").read_text())
    assert set(figures) == {"long", "right"}
    assert figures["right"]["mean_reward"] == 0.25
    checked = ("--table-name", "scores", "--table", str(FOLDER / "scores.parquet"))
    view = ("--view", f"generations={FOLDER}/generations.parquet")
    assert gate.main([*checked, *view, "--report", "report.json"]) == 0


def test_one_judge_of_the_recipe_may_label_alone(recipe: dict[str, Any]) -> None:
    pin_all(recipe)
    assert scored(PINS / "right") == 0
    assert rewards()["judge"].unique().to_list() == ["right"]
    Path("answers.jsonl").write_text('{"prompt": "0+1?", "answer": "#### 7"}\n')
    assert scored(PINS / "right") == 2


def test_weights_decide_the_pairs(recipe: dict[str, Any]) -> None:
    pin_all(recipe)
    assert scored() == 0
    recipe["pairs"]["judges"] = {"right": 10.0, "long": 0.1}
    put(recipe)
    names = {
        "generations": FOLDER / "generations.parquet",
        "scores": FOLDER / "scores.parquet",
        "prompts": "data/prompts/prompts.parquet",
        "table": "pairs.parquet",
        "rejects": "rejects.parquet",
        "metrics": "pair.json",
    }
    flags = [word for key, value in names.items() for word in (f"--{key}", str(value))]
    assert pair.main(["--iteration", "iter1", *flags]) == 0
    pairs = pl.read_parquet("pairs.parquet", schema=schema.PAIRS.polars)
    assert pairs.height == 6
    for row in pairs.iter_rows(named=True):
        left = int(row["prompt"][0]["content"].split("+")[0])
        assert row["chosen"][0]["content"] == f"so A: {left + 1}"


def test_a_pin_changes_with_what_the_judge_reads_and_with_nothing_else(
    recipe: dict[str, Any],
) -> None:
    pin_all(recipe)
    before = {path.parent.name: path.read_bytes() for path in PINS.glob("*/pin.json")}
    Path("unused.py").write_text(CODE)
    pin_all(recipe)
    assert {path.parent.name: path.read_bytes() for path in PINS.glob("*/pin.json")} == before
    Path("rules.py").write_text(CODE.format(sign="-"))
    pin_all(recipe)
    now = {path.parent.name: path.read_bytes() for path in PINS.glob("*/pin.json")}
    assert {name for name in now if now[name] != before[name]} == {"long"}


def test_an_added_judge_does_not_ask_the_others_again(recipe: dict[str, Any]) -> None:
    asked = "import pathlib\np = pathlib.Path('asked.txt')\np.write_text(p.read_text() + 'x')\n"
    Path("asked.txt").write_text("")
    Path("rules.py").write_text(
        "def reward(prompt, response):\n"
        + "".join(f"    {line}\n" for line in asked.splitlines())
        + "    return len(response)\n"
    )
    right = recipe["judges"].pop("right")
    put(recipe)
    pin_all(recipe)
    assert scored() == 0
    assert len(Path("asked.txt").read_text()) == 24
    first = rewards().filter(judge="long")
    recipe["judges"]["right"] = right
    put(recipe)
    pin_all(recipe)
    assert scored() == 0
    assert len(Path("asked.txt").read_text()) == 24
    assert rewards().filter(judge="long").sort("generation_id").equals(first.sort("generation_id"))
    assert rewards()["judge"].n_unique() == 2


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda: (PINS / "right").rename(PINS / "old"), "holds pins of long, old, but"),
        ((PINS / "long/pin.json").unlink, "holds pins of right, but params.yaml's judges"),
        (lambda: Path("rules.py").write_text("x = 1\n"), "run dvc repro judge@long"),
    ],
)
def test_a_panel_that_is_not_the_recipes_is_one_line(
    recipe: dict[str, Any], capsys: pytest.CaptureFixture[str], spoil: Any, told: str
) -> None:
    pin_all(recipe)
    spoil()
    assert scored() == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not (FOLDER / "scores.parquet").exists()


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{"question": "q", "answer": "1"}], "has no prompt and answer; name the columns with"),
        ([{"prompt": "q", "answer": 1}, {"prompt": "q", "answer": 2}], "two answers to 'q'"),
    ],
)
def test_bad_answers_are_one_line(
    recipe: dict[str, Any], capsys: pytest.CaptureFixture[str], rows: list[Any], told: str
) -> None:
    Path("answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pin_all(recipe)
    assert scored() == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"judges": {}}, "scoring.reward_model: panel means all judges, but judges names none"),
        ({"judges": {"a": {"kind": "odd"}}}, "judges.a: "),
        ({"engine": {"data_parallel": 2}}, "it is replicas of placement.yaml now"),
        ({"judges": {"a": {"kind": "reward_model"}}}, "judges.a.path: missing"),
        (
            {"judges": {"a": {"kind": "llm", "path": "x", "server": {}}}},
            "judges.a.server.model: name the model that judges",
        ),
    ],
)
def test_a_recipe_with_a_bad_panel_is_refused(
    recipe: dict[str, Any], capsys: pytest.CaptureFixture[str], change: Any, told: str
) -> None:
    put(recipe | change)
    assert pin("a", "rules.py") == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("scores", "weights", "evaluates", "told"),
    [
        ("mix2", {}, "panel/right", None),
        ("panel/long", {}, "panel/right", None),
        ("panel", {"long": 1.0}, "panel/right", None),
        ("panel", {}, "panel/right", "evaluation.reward_model: panel/right labels the pairs"),
        ("panel/right", {}, "panel/right", "evaluation.reward_model: panel/right labels the pairs"),
        ("mix2", {}, "panel", "evaluation.reward_model: takes one judge; give panel/NAME"),
        ("mix2", {}, "panel/rigth", "no judge is named rigth; did you mean right?"),
        ("panel/log", {}, "mix1", "scoring.reward_model: no judge is named log"),
    ],
)
def test_an_evaluator_is_any_judge_that_labels_nothing(
    recipe: dict[str, Any], scores: str, weights: Any, evaluates: str, told: str | None
) -> None:
    recipe["scoring"]["reward_model"] = scores
    recipe["pairs"]["judges"] = weights
    recipe["evaluation"]["reward_model"] = evaluates
    put(recipe)
    if told is None:
        assert params.load(Path("params.yaml")).evaluation.reward_model == evaluates
        return
    with pytest.raises(UserError, match=r"^[^\n]+$") as said:
        params.load(Path("params.yaml"))
    assert told in str(said.value)


def test_a_judge_of_the_hub_is_named_under_models(recipe: dict[str, Any]) -> None:
    recipe["judges"] = {"rm": {"kind": "reward_model", "path": "hf://org/rm"}}
    put(recipe)
    with pytest.raises(UserError, match=r"judges.rm.path: hf://org/rm: name it under models"):
        params.load(Path("params.yaml"))
    recipe["judges"]["rm"]["path"] = "data/checkpoints/models/rm"
    put(recipe)
    with pytest.raises(UserError, match=r"judges.rm.path: no model is named rm"):
        params.load(Path("params.yaml"))
    recipe["models"] = {"rm": {"uri": "hf://org/rm"}}
    put(recipe)
    assert params.load(Path("params.yaml")).models["rm"].uri == "hf://org/rm"


def test_a_served_model_is_pinned_by_what_is_read_here(tmp_path: Path) -> None:
    folder = tmp_path / "big"
    folder.mkdir()
    for name in ("tokenizer.json", "config.json"):
        (folder / name).write_text("{}")

    def pinned(**server: Any) -> dict[str, Any]:
        told = {"url": "http://a/v1", "model": "m", **server}
        section = {"kind": "served_reward_model", "path": str(folder), "server": told}
        return panel.pin("big", ServedRewardModelJudge(**section))

    first = pinned()
    assert pinned(url="http://b/v1", retries=9) == first
    assert pinned(model="n") != first
    (folder / "tokenizer.json").write_text("[]")
    assert pinned()["sha"] != first["sha"]
    (folder / "config.json").unlink()
    with pytest.raises(UserError, match=r"judges.big.path: no config.json in .*; give the served"):
        pinned()
