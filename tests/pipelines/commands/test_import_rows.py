"""`prefloop import` on literal rows, and on the real responses of 15 models."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

from pipelines import cli
from pipelines.stages import pair

ROOT = Path(__file__).resolve().parents[3]
REAL = ROOT / "../shared/data/alpaca_eval/annotations_15_models.parquet"


@pytest.fixture(autouse=True)
def _in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def bring(what: str, file: Path | str, *more: str) -> int:
    return cli.main(["import", what, "--from", str(file), "--iteration", "iter1", *more])


def table(name: str) -> pl.DataFrame:
    return pl.read_parquet(f"data/iterations/iter1/{name}.parquet")


def lines(path: str, rows: list[Any]) -> Path:
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Path(path)


def pool(*more: str) -> tuple[str, ...]:
    return ("--new-prompts", "data/prompts/prompts.parquet", *more)


ROWS: list[Any] = [
    {"prompt": "q1", "response": "a", "model": "m", "score": 1},
    {"prompt": "q1", "response": "bb", "model": "m", "score": 2.5},
    {"prompt": "q1", "response": "bb", "model": "m", "score": 2.5},
    {"prompt": "q1", "response": "bb", "model": "n", "score": "N/A"},
    {"prompt": [{"role": "user", "content": "q2"}], "response": "c", "score": None},
    {"prompt": "q2", "response": "  ", "score": 1},
    {"prompt": "q2", "score": 1},
    {"prompt": [{"role": "assistant", "content": "x"}], "response": "c"},
    [1, 2],
    {"prompt": "q2", "response": "d", "finish_reason": "odd"},
]


UNUSABLE = ["empty_response", "missing_response", "bad_prompt", "wrong_type", "failed_draw"]


def test_every_row_is_a_generation_or_a_reject_with_its_rule() -> None:
    assert bring("generations", lines("rows.jsonl", ROWS), *pool("--policy", "mine")) == 0
    got = table("generations")
    said = sorted(got.select("response", "policy").rows())
    assert said == [("a", "m"), ("bb", "m"), ("bb", "n"), ("c", "mine")]
    assert sorted(got["sample"]) == [0, 0, 1, 2]  # two prompts, numbered apart
    assert got["engine"].unique().to_list() == ["imported"]
    rejects = table("import_generations_rejects")
    assert sorted(rejects["rule"]) == sorted(["duplicate_response", *UNUSABLE])
    assert got.height + rejects.height == len(ROWS)
    assert json.loads(rejects.filter(rule="missing_response")["payload"][0]) == ROWS[6]
    counts = json.loads(Path("data/iterations/iter1/import_generations.json").read_text())
    assert (counts["rows"], counts["responses"], counts["rejected"]) == (10, 4, 6)


def test_scores_join_by_text_and_a_failed_judgement_is_null_with_a_reason() -> None:
    file = lines("rows.jsonl", ROWS)
    assert bring("generations", file, *pool("--policy", "mine")) == 0
    assert bring("scores", file, "--judge", "j") == 0
    rows = table("generations").join(table("scores"), on="generation_id")
    assert sorted(rows.select("response", "policy", "reward", "reason").rows()) == [
        ("a", "m", 1.0, None),
        ("bb", "m", 2.5, None),
        ("bb", "n", None, "not a number: 'N/A'"),
        ("c", "mine", None, "null in the file"),
    ]
    rules = table("import_scores_rejects")["rule"]
    assert sorted(rules) == sorted(["duplicate_score", *UNUSABLE])


def test_conflicting_unknown_and_missing_scores() -> None:
    bring("generations", lines("rows.jsonl", ROWS[:2]), *pool())
    ids = dict(table("generations").select("response", "generation_id").rows())
    scores = [
        {"generation_id": ids["a"], "reward": 1.0},
        {"generation_id": ids["a"], "reward": 2.0},
        {"generation_id": "nowhere", "reward": 2.0},
        {"prompt": "q1", "response": "bb", "reward": 3.0},
    ]
    assert bring("scores", lines("scores.jsonl", scores), "--judge", "j") == 0
    got = dict(table("scores").select("generation_id", "reward").rows())
    assert got == {ids["a"]: None, ids["bb"]: 3.0}
    assert set(table("scores")["reason"]) == {None, "no usable score in the file"}
    assert sorted(table("import_scores_rejects")["rule"]) == [
        "conflicting_score",
        "conflicting_score",
        "unknown_response",
    ]


def test_a_second_judge_joins_the_first_and_replacing_needs_a_flag(
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = lines("rows.jsonl", ROWS[:2])
    bring("generations", file, *pool())
    assert bring("scores", file, "--judge", "j") == 0
    assert bring("scores", file, "--judge", "k") == 0
    assert sorted(table("scores")["judge"]) == ["j", "j", "k", "k"]
    assert bring("scores", file, "--judge", "k") == 2
    assert bring("generations", file, *pool()) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2
    assert all("--replace" in line for line in told)


def test_lists_of_responses_csv_and_other_names_give_the_same_rows() -> None:
    listed = [{"prompt": "q", "all_generated_responses": ["a", "b"], "all_rm_scores": [1, 2]}]
    assert bring("generations", lines("a.jsonl", listed), *pool()) == 0
    assert bring("scores", "a.jsonl", "--judge", "j") == 0
    one = table("generations").join(table("scores"), on="generation_id").sort("response")
    assert one.select("response", "sample", "reward").rows() == [("a", 0, 1.0), ("b", 1, 2.0)]
    Path("b.csv").write_text("frage,antwort,note,sample\nq,a,1,0\nq,b,2,1\n")
    names = ("--map", "prompt=frage", "--map", "response=antwort", "--map", "reward=note")
    assert bring("generations", "b.csv", *names, *pool("--replace")) == 0
    assert bring("scores", "b.csv", *names, "--judge", "j", "--replace") == 0
    two = table("generations").join(table("scores"), on="generation_id").sort("response")
    assert two.drop("judge_sha").equals(one.drop("judge_sha"))


def test_row_order_never_matters() -> None:
    bring("generations", lines("a.jsonl", ROWS), *pool())
    first = Path("data/iterations/iter1/generations.parquet").read_bytes()
    bring("generations", lines("b.jsonl", ROWS[::-1]), *pool("--replace"))
    assert Path("data/iterations/iter1/generations.parquet").read_bytes() == first


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("no.jsonl", None, "no such file"),
        ("empty.jsonl", b"", "empty"),
        ("short.jsonl.gz", gzip.compress(b'{"prompt": "q", "response": "r"}\n', mtime=0)[:-9], ""),
        ("other.jsonl", b'{"a": 1}\n', "no row is usable (missing_prompt 1); its columns are a"),
        ("bad.parquet", b"PAR1 no", "not a readable Parquet file"),
    ],
)
def test_files_that_hold_nothing_are_one_line_and_leave_nothing(
    name: str, content: bytes | None, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        Path(name).write_bytes(content)
    assert bring("generations", name, *pool()) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert told in error
    assert not list(Path("data").rglob("*.parquet"))


def test_prompts_must_be_of_the_pool_and_not_held_out() -> None:
    rows = [{"prompt": text, "response": "r"} for text in ("q1", "q2", "q3")]
    bring("generations", lines("a.jsonl", rows[:2]), *pool())
    known = pl.read_parquet("data/prompts/prompts.parquet").sort("prompt_id")
    held = known.with_columns(split=pl.Series(["eval", "train"]))
    held.write_parquet("data/prompts/prompts.parquet")
    assert bring("generations", lines("b.jsonl", rows), "--replace") == 0
    assert table("generations")["prompt_id"].to_list() == [held["prompt_id"][1]]
    rules = table("import_generations_rejects")["rule"]
    assert sorted(rules) == ["held_out_prompt", "unknown_prompt"]


# ---- 805 instructions x 15 models


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not REAL.is_file():
        pytest.skip("../shared/data/alpaca_eval is absent")
    folder = tmp_path_factory.mktemp("alpaca")
    data = ("--data", str(folder))
    new = ("--new-prompts", str(folder / "prompts/prompts.parquet"))
    assert bring("generations", REAL.resolve(), *data, *new) == 0
    assert bring("scores", REAL.resolve(), *data, "--judge", "gpt4") == 0
    return folder


def paired(data: Path, out: Path, **knobs: Any) -> tuple[pl.DataFrame, dict[str, Any]]:
    recipe = yaml.safe_load((ROOT / "recipes/sample.yaml").read_text())
    recipe["pairs"] |= knobs
    params = out / "params.yaml"
    params.write_text(yaml.safe_dump(recipe))
    folder = data / "iterations/iter1"
    flags = {
        "iteration": "iter1",
        "generations": folder / "generations.parquet",
        "scores": folder / "scores.parquet",
        "prompts": data / "prompts/prompts.parquet",
        "table": out / "pairs.parquet",
        "rejects": out / "rejects.parquet",
        "metrics": out / "pair.json",
        "params": params,
    }
    assert pair.main([word for k, v in flags.items() for word in (f"--{k}", str(v))]) == 0
    return pl.read_parquet(out / "pairs.parquet"), json.loads((out / "pair.json").read_text())


def by_prompt() -> dict[str, list[tuple[float, str]]]:
    found = defaultdict(list)
    for row in pl.read_parquet(REAL).iter_rows(named=True):
        if (
            row["output"].strip() and "</s>" not in row["output"]
        ):  # one model runs on behind its end
            found[row["instruction"]].append((row["preference"], row["output"]))
    return found


@pytest.mark.parametrize("digits", [9, 0])
def test_real_pairs_are_the_best_and_the_worst_and_ties_are_dropped(
    real: Path, tmp_path: Path, digits: int
) -> None:
    judge = f"gpt4_{digits}"
    rounded = pl.read_parquet(REAL).with_columns(pl.col("preference").round(digits))
    rounded.write_parquet(tmp_path / "rounded.parquet")
    data = ("--data", str(real), "--replace")
    assert bring("scores", tmp_path / "rounded.parquet", *data, "--judge", judge) == 0
    pairs, figures = paired(real, tmp_path, judges={judge: 1.0})
    got = {row["prompt"][0]["content"]: row for row in pairs.iter_rows(named=True)}
    ties = 0
    for prompt, answers in by_prompt().items():
        rewards = {round(reward, digits): set[str]() for reward, _ in answers}
        for reward, text in answers:
            rewards[round(reward, digits)].add(text)
        if len(rewards) == 1:
            ties += 1
            assert prompt not in got
            continue
        row = got[prompt]
        assert row["chosen_reward"] == pytest.approx(max(rewards))
        assert row["rejected_reward"] == pytest.approx(min(rewards))
        assert row["chosen"][0]["content"] in rewards[max(rewards)]
        assert row["rejected"][0]["content"] in rewards[min(rewards)]
    assert figures["rules"].keys() <= {"tie", "identical_text"}
    assert sum(figures["rules"].values()) == ties
    assert figures["pairs"] == 805 - ties
    assert ties or digits


def test_real_pearson_and_the_automatic_penalty(real: Path, tmp_path: Path) -> None:
    _, plain = paired(real, tmp_path, judges={"gpt4": 1.0})
    _, auto = paired(real, tmp_path, judges={"gpt4": 1.0}, length_penalty="auto")
    penalty = auto["length_penalty"]

    def mean_r(penalty: float) -> float:
        found = []
        for answers in by_prompt().values():
            lengths = np.array([len(text) for _, text in answers])
            rewards = np.array([reward for reward, _ in answers]) - penalty * lengths
            if rewards.std() and lengths.std():
                found.append(np.corrcoef(rewards, lengths)[0, 1])
        return fmean(found)

    assert mean_r(0.0) > 0.4  # GPT-4 likes long answers
    assert mean_r(0.0) == pytest.approx(plain["length_reward_pearson"], abs=1e-6)
    assert penalty > 0
    assert abs(mean_r(penalty)) < 0.01
    assert abs(auto["length_adjusted_pearson"]) < 0.01


def test_rows_that_spell_a_marker_of_the_recipes_template_are_rejects() -> None:
    rows = [
        {"prompt": "q", "response": "a [/MOT] b"},
        {"prompt": "[MOT] q", "response": "a"},
        {"prompt": "q", "response": "a MOT"},
    ]
    Path("data/checkpoints").mkdir(parents=True)
    told = Path("data/checkpoints/control_tokens.json")
    told.write_text(json.dumps({"turns": ["[MOT]", "[/MOT]"]}))
    assert bring("generations", lines("rows.jsonl", rows), *pool()) == 0
    assert table("generations")["response"].to_list() == ["a MOT"]
    rejects = table("import_generations_rejects")
    assert rejects["rule"].to_list() == ["control_tokens"] * 2
    assert set(rejects["detail"]) == {"[MOT]", "[/MOT]"}
