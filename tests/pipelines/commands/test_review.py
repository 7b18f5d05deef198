"""prefloop review: from the queue to the pairs table, and through Argilla's records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curation.audit import why
from pipelines.commands import review
from pipelines.shared import reviews
from pipelines.stages import gate
from tests.pipelines.reviewed import run_pair, write

AT = "2026-01-31T12:00:00.000000Z"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    return tmp_path


def queue(capsys: pytest.CaptureFixture[str], *flags: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert review.main(["queue", "--json", *flags]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def pairs() -> pl.DataFrame:
    return pl.read_parquet("data/iterations/iter1/pairs.parquet").sort("prompt_id")


def of(prompt: str) -> str:
    return str(pairs().filter(prompt_id=prompt)["pair_id"].item())


def decide(pair: str, decision: str, who: str = "ann", *flags: str) -> None:
    assert review.main(["decide", pair, decision, "--reviewer", who, *flags]) == 0


def gated() -> int:
    folder = "data/iterations/iter1"
    argv = ["--table-name", "pairs", "--table", f"{folder}/pairs.parquet"]
    for view in ("generations", "pair_rejects"):
        argv += ["--view", f"{view.removeprefix('pair_')}={folder}/{view}.parquet"]
    argv += ["--view", "prompts=data/prompts/prompts.parquet"]
    return gate.main([*argv, "--view", f"metrics={folder}/pair.json", "--report", "checks.json"])


def test_the_queue_puts_disagreement_and_small_margins_first(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = queue(capsys)
    order = [row["pair_id"] for row in found]
    assert order[:2] == [of("close"), of("split")]
    assert order[-1] == of("calm")
    assert [row["against"] for row in found][:2] == [0.0, 0.5]
    assert queue(capsys, "--iteration", "iter2") == []


def test_decisions_come_back_in_the_pairs_table(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = pairs()
    decide(of("split"), "flip")
    decide(of("evil"), "drop", "ann", "--note", "markup, not an answer")
    decide(of("calm"), "accept")
    assert len(queue(capsys)) == 1
    assert run_pair(folder) == 0
    after = pairs()
    assert after["prompt_id"].to_list() == ["calm", "close", "split"]
    turned = after.filter(prompt_id="split").row(0, named=True)
    assert turned["chosen"][0]["content"] == "the others like this"
    assert "review_flipped" in turned["flags"]
    assert after.filter(prompt_id="close").equals(before.filter(prompt_id="close"))
    gone = pl.read_parquet("data/iterations/iter1/pair_rejects.parquet").row(0, named=True)
    assert (gone["item_id"], gone["rule"]) == ("evil", "review_drop")
    assert gone["detail"].endswith(": markup, not an answer")
    metrics = json.loads(Path("data/iterations/iter1/pair.json").read_text())
    assert metrics["rules"] == {"review_drop": 1}
    assert metrics["flags"]["review_flipped"] == 1
    assert gated() == 0
    assert json.loads(Path("checks.json").read_text())["passed"]


def test_why_tells_what_became_of_a_reviewed_pair(folder: Path) -> None:
    turned, gone = of("split"), of("evil")
    decide(turned, "flip", "ann", "--note", "the other is kinder")
    decide(gone, "drop")
    assert run_pair(folder) == 0
    life = why.explain(Path("data"), turned)
    steps = {step.stage: step for step in life.steps}
    assert (steps["review"].verdict, steps["review"].item) == ("flip", turned)
    assert steps["review"].detail.endswith("the other is kinder")
    assert steps["pair@iter1"].item == of("split")
    assert sum(step.stage == "generate@iter1" for step in life.steps) == 2
    assert ("chosen", "assistant: the others like this") in life.texts
    dropped = [(step.stage, step.verdict) for step in why.explain(Path("data"), gone).steps]
    assert dropped[-2:] == [("review", "drop"), ("pair@iter1", "dropped")]


def test_the_gate_still_refuses_an_unexplained_order(folder: Path) -> None:
    path = Path("data/iterations/iter1/pairs.parquet")
    decide(of("split"), "flip")
    assert run_pair(folder) == 0
    frame = pl.read_parquet(path)
    frame.with_columns(flags=pl.lit([], dtype=pl.List(pl.String))).write_parquet(path)
    gated()
    report = json.loads(Path("checks.json").read_text())
    failed = [one["name"] for one in report["checks"] if one["violations"]]
    assert "chosen_beats_rejected" in failed


def test_a_withdrawn_decision_gives_the_same_bytes_as_none(folder: Path) -> None:
    files = [Path("data/iterations/iter1") / name for name in ("pairs.parquet", "pair.json")]
    before = [file.read_bytes() for file in files]
    pair = of("split")
    decide(pair, "drop")
    decide(pair, "withdraw")
    assert run_pair(folder) == 0
    assert [file.read_bytes() for file in files] == before
    assert reviews.read(Path("data/reviews")).height == 2


def test_argilla_records_there_and_back(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert review.main(["export", "--out", "records.json"]) == 0
    records = json.loads(Path("records.json").read_text())
    assert len(records) == 4
    keys = {"id", "fields", "metadata", "suggestions", "responses", "vectors"}
    assert all(set(record) == keys and record["suggestions"] == {} for record in records)
    chosen = {row["pair_id"]: row["chosen"][0]["content"] for row in pairs().to_dicts()}
    for record in records:  # both users want the rejected response, one of them not always
        turned = "b" if record["fields"]["response_a"] == chosen[record["id"]] else "a"
        users = {"1f-ann": turned, "2f-bob": "neither" if record["id"] == of("calm") else turned}
        record["responses"] = {
            "preference": [{"value": value, "user_id": user} for user, value in users.items()]
        }
    strange = {**records[0], "id": "nowhere"}
    edited = {**records[1], "fields": {**records[1]["fields"], "response_a": "rewritten"}}
    Path("back.json").write_text(json.dumps([*records, strange, edited]))
    argv = ["import", "back.json", "--name", "1f-ann=ann", "--name", "2f-bob=bob", "--at", AT]
    capsys.readouterr()
    assert review.main(argv) == 0
    told = "8 decisions recorded; left out: 2 unknown_pair, 2 other_texts"
    assert capsys.readouterr().out == f"back.json: {told}\n"
    assert review.main(argv) == 0
    assert capsys.readouterr().out.startswith("back.json: 0 decisions recorded")
    assert review.main(["status", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["reviewers"], found["shared"]) == (["ann", "bob"], 4)
    assert (found["settled"], found["disputed"]) == (3, 1)
    assert found["pairs"][0]["same"] == 0.75


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["decide", "nowhere", "flip", "--reviewer", "ann"], "pair nowhere: this build has no"),
        (["decide", "x", "flip", "--reviewer", "../ann"], "pair x: this build has no such pair"),
        (["import", "params.yaml"], "params.yaml: not JSON"),
        (["import", "odd.json"], "a record lacks its id"),
        (["import", "odd.json", "--name", "ann"], "--name ann: give USER_ID=NAME"),
        (["import", "odd.json", "--at", "today"], "--at today: give UTC as"),
    ],
)
def test_bad_input_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], argv: list[str], told: str
) -> None:
    Path("odd.json").write_text("[{}]")
    capsys.readouterr()
    assert review.main(argv) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not Path("data/reviews").exists()


def test_a_reviewer_cannot_be_a_path(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert review.main(["decide", of("calm"), "flip", "--reviewer", "../ann"]) == 2
    assert "reviewer '../ann': use up to 64 letters" in capsys.readouterr().err
