"""judge-eval and rewardbench as commands, on real tiny judges."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curation.core import schema
from pipelines.commands import judge_eval, rewardbench, win_rate
from tests.models import comparisons, user
from training.core.settings import Sft
from training.trainers import preference_model as model

ORACLE = "def reward(prompt, response):\n    return float('woof' in response)\n"


@pytest.fixture(scope="module")
def preference_model(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "preference"
    settings = Sft(
        epochs=1, learning_rate=3e-3, global_batch=8, per_device_batch=8, max_length=128, seed=4
    )
    model.train(base, comparisons(32), settings, out=path)
    return path


@pytest.fixture
def folder(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a mix of 40 pairs, responses to 6 prompts and an oracle."""
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(root / "recipes/sample.yaml", "params.yaml")
    Path("oracle.py").write_text(ORACLE, "utf-8")
    held_out_mix().write_parquet("mix.parquet")
    _generations().write_parquet("generations.parquet")
    _prompts().write_parquet("prompts.parquet")
    return tmp_path


def held_out_mix() -> pl.DataFrame:
    rows = [
        {
            "pair_id": item.key, "prompt_id": item.key, "source": "ab"[number % 2],
            "source_row": item.key, "prompt": item.prompt,
            "chosen": [{"role": "assistant", "content": item.chosen}],
            "rejected": [{"role": "assistant", "content": item.rejected}],
            "margin": None if number % 2 else float(number), "prompt_chars": 1, "chosen_chars": 1,
            "rejected_chars": 1, "turns": 1, "annotator": "human", "license": "MIT",
            "split": "train" if number >= 40 else "eval",
        }
        for number, item in enumerate(comparisons(44))
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=schema.MIXES.polars)


def _generations() -> pl.DataFrame:
    rows = [
        {
            "generation_id": f"g{p}{k}", "prompt_id": f"p{p}", "sample": k,
            "response": f"woof {k} {p}", "token_ids": [1], "n_tokens": 1, "n_chars": 8,
            "finish_reason": "stop", "policy": "sft", "policy_sha": "s", "engine": "e",
            "engine_version": "1",
        }
        for p in range(6) for k in range(3)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=schema.GENERATIONS.polars)


def _prompts() -> pl.DataFrame:
    rows = [
        {
            "prompt_id": f"p{p}", "source": "s", "source_row": "r", "messages": user(f"ask {p}"),
            "n_chars": 5, "license": "MIT", "bucket": 0.1, "split": "train", "map_x": 0.0,
            "map_y": 0.0, "cluster": 0,
        }
        for p in range(6)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=schema.PROMPTS.polars)


def run(*judges: Path) -> dict[str, Any]:
    flags = ["--table", "mix.parquet", "--metrics", "out.json", "--oracle", "oracle.py"]
    cycles = ["--generations", "generations.parquet", "--prompts", "prompts.parquet"]
    assert judge_eval.main([*flags, *cycles, "--judge", *map(str, judges)]) == 0
    return dict(json.loads(Path("out.json").read_text("utf-8")))


def test_every_judge_is_measured_on_the_held_out_pairs_alone(
    folder: Path, reward_model: Path, preference_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = run(reward_model, preference_model)
    assert found["pairs"] == 40
    assert set(found["judges"]) == {"reward_model/test", "preference_model", "oracle"}
    oracle = found["judges"]["oracle"]
    assert oracle["accuracy"] == 1.0
    for judge in found["judges"].values():
        assert judge["low"] <= judge["accuracy"] <= judge["high"]
        assert {name: part["pairs"] for name, part in judge["by_source"].items()} == {
            "a": 20,
            "b": 20,
        }
        assert sum(part["pairs"] for part in judge["by_margin"]) == 20  # half have no margin
        assert sum(part["pairs"] for part in judge["by_length_difference"]) == 40
    preference = found["judges"]["preference_model"]
    assert 0 <= preference["swap_inconsistency"] <= 1
    assert preference["cycles"]["triples"] == 6
    assert oracle["against_oracle"]["accuracy"] == 1.0
    assert preference["against_oracle"]["accuracy"] == preference["accuracy"]  # labels are true
    assert "cycles" not in found["judges"]["reward_model/test"]
    assert len(found["agreement"]) == 3
    assert "reward_model/test" in capsys.readouterr().out


def test_agreement_is_not_inflated_by_two_judges_that_are_both_right(
    folder: Path, reward_model: Path
) -> None:
    found = run(reward_model)
    assert found["judges"]["reward_model/test"]["accuracy"] > 0.9
    assert found["agreement"][0]["kappa"] > 0.8  # and defined: not 0 / 0


def test_a_mix_without_held_out_pairs_is_one_line(
    folder: Path, reward_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held_out_mix().filter(pl.col("split") == "train").write_parquet("mix.parquet")
    flags = ["--table", "mix.parquet", "--metrics", "out.json", "--judge", str(reward_model)]
    assert judge_eval.main(flags) == 2
    assert "no pair has split eval" in capsys.readouterr().err
    assert not Path("out.json").exists()


def rewardbench_file(path: Path) -> Path:
    """A made-up file of the published form: two right rows and one wrong one per section."""
    subsets = ("alpacaeval-easy", "llmbar-natural", "donotanswer", "math-prm", "hep-cpp")
    rows = [
        {
            "prompt": f"question {k}?" if k else user("question 0?"), "chosen": chosen,
            "chosen_model": "a", "rejected": rejected, "rejected_model": "b", "subset": subset,
            "id": k,
        }
        for subset in subsets
        for k, (chosen, rejected) in enumerate(
            [("woof 1", "moo 1"), ("woof 2", "moo 2"), ("moo 3", "woof 3")]
        )
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_rewardbench_reads_the_published_form(
    folder: Path, reward_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = rewardbench_file(folder / "filtered.jsonl")
    flags = ["--pairs", str(file), "--judge", str(reward_model), "--metrics", "rb.json"]
    assert rewardbench.main(flags) == 0
    found = json.loads(Path("rb.json").read_text("utf-8"))
    assert found["score"] == pytest.approx(2 / 3)
    assert found["sections"]["Reasoning"] == pytest.approx(2 / 3)
    assert found["subsets"]["math-prm"]["pairs"] == 3
    assert "paper: BT 8B, mix2" in capsys.readouterr().out


def test_rewardbench_names_what_a_file_lacks(
    folder: Path, reward_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.jsonl").write_text('{"prompt": "q", "chosen": "a", "rejected": "b"}\n', "utf-8")
    flags = ["--pairs", "bad.jsonl", "--judge", str(reward_model), "--metrics", "rb.json"]
    assert rewardbench.main(flags) == 2
    assert "row 1 lacks subset" in capsys.readouterr().err


def test_a_policy_that_barks_beats_one_that_moos_at_any_length(
    folder: Path, reward_model: Path, preference_model: Path
) -> None:
    moos = _generations().with_columns(
        response=pl.format("moo {} {}!!", "sample", "prompt_id"), policy=pl.lit("cow")
    )
    moos.head(16).write_parquet("baseline.parquet")
    flags = ["--generations", "generations.parquet", "--baseline", "baseline.parquet"]
    more = ["--prompts", "prompts.parquet", "--oracle", "oracle.py", "--metrics", "win.json"]
    judges = ["--judge", str(reward_model), str(preference_model)]
    assert win_rate.main([*flags, *more, *judges]) == 0
    found = json.loads(Path("win.json").read_text("utf-8"))
    assert (found["policy"], found["baseline"], found["unmatched"]) == ("sft", "cow", 2)
    assert found["judges"]["oracle"]["win_rate"] == 100.0
    for name in ("reward_model/test", "oracle"):
        assert found["judges"][name]["win_rate"] > 80.0
        assert found["judges"][name]["length_controlled"] > 60.0
        assert found["judges"][name]["pairs"] == 16
    assert 0 <= found["judges"]["preference_model"]["swap_inconsistency"] <= 1


def test_a_policy_against_itself_is_even(folder: Path, reward_model: Path) -> None:
    same = ["--generations", "generations.parquet", "--baseline", "generations.parquet"]
    more = ["--prompts", "prompts.parquet", "--judge", str(reward_model), "--metrics", "win.json"]
    assert win_rate.main([*same, *more]) == 0
    found = json.loads(Path("win.json").read_text("utf-8"))["judges"]["reward_model/test"]
    assert (found["win_rate"], found["ties"]) == (50.0, 100.0)
    assert found["length_controlled"] == pytest.approx(50.0, abs=1e-6)
