"""The forms as other copies of the sets have them: Parquet, nulls, numbers, lists, odd labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.pipelines.front import Front, lines, one_line, write

ROWS = Path("../shared/data/native_rows")


@pytest.fixture
def front(tmp_path: Path) -> Front:
    return Front(tmp_path)


def turns(*texts: str | None) -> list[dict[str, Any]]:
    roles = ("user", "assistant")
    return [{"role": roles[place % 2], "content": text} for place, text in enumerate(texts)]


def read(front: Front, form: str, rows: list[Any], filters: list[Any], **more: Any) -> pl.DataFrame:
    """The kept rows of JSON lines, both stages run."""
    file = write(front.root / "rows.jsonl", lines(*rows))
    assert front.fetch(file, format=form, filters=filters, **more) == 0
    assert front.standardize() == 0
    return pl.read_parquet(front.at("t.parquet"))


def pairs(table: pl.DataFrame) -> set[tuple[str, str]]:
    return {
        (row["chosen"][0]["content"], row["rejected"][0]["content"]) for row in table.to_dicts()
    }


SHP = {
    "post_id": 7, "history": "post", "human_ref_A": "A", "human_ref_B": "B", "labels": 1.0,
    "score_A": 9.0, "score_B": 3.0, "score_ratio": 3, "upvote_ratio": 0.5,
}  # fmt: skip


def test_whole_floats_are_integers_and_numbers_are_the_text_of_an_id(front: Front) -> None:
    kept = read(front, "shp", [SHP, {**SHP, "history": "two", "labels": 0.5}], [{"score_ratio": 2}])
    assert pairs(kept) == {("A", "B")}
    assert kept["margin"].to_list() == [6.0]
    assert front.rules() == ["wrong_type"]


@pytest.mark.parametrize("cast", [{}, {"labels": pl.Float64, "score_A": pl.Float64}])
def test_parquet_copies_give_the_same_pairs(front: Front, cast: dict[str, Any]) -> None:
    rows = [{**SHP, "labels": 1}, {**SHP, "history": "two", "labels": 0}]
    frame = pl.DataFrame(rows).with_columns(pl.col("post_id").cast(pl.String)).cast(cast)
    frame.write_parquet(front.root / "a.parquet")
    assert front.fetch(front.root / "a.parquet", format="shp", filters=["score_ratio"]) == 0
    assert front.standardize() == 0
    assert pairs(pl.read_parquet(front.at("t.parquet"))) == {("A", "B"), ("B", "A")}


def test_labels_that_name_neither_response_are_rejected_by_name(front: Front) -> None:
    read(front, "shp", [SHP, {**SHP, "history": "two", "labels": -1}], ["score_ratio"])
    assert front.rules("r.parquet") == ["unknown_label"]
    pku = {
        "prompt": "q", "response_0": "zero", "response_1": "one", "is_response_0_safe": 1,
        "is_response_1_safe": True, "better_response_id": 0, "safer_response_id": 0,
    }  # fmt: skip
    kept = read(front, "pku_saferlhf", [pku, {**pku, "better_response_id": 2}], ["structural"])
    assert pairs(kept) == {("zero", "one")}
    assert front.rules("r.parquet") == ["unknown_label"]
    info = {"post": "text", "title": "T", "subreddit": "r"}
    both = [{"text": "a", "policy": "x"}, {"text": "b", "policy": "y"}]
    tldr = {"info": info, "summaries": both, "choice": 1, "extra": {"confidence": None}}
    kept = read(front, "summarize", [tldr, {**tldr, "choice": 2}], ["structural"])
    assert pairs(kept) == {("b", "a")}
    assert front.rules("r.parquet") == ["unknown_label"]


def test_scores_against_the_label_and_scores_that_are_no_numbers(front: Front) -> None:
    row = {"prompt": "q", "chosen": "x", "rejected": "y", "chosen_score": 2, "rejected_score": 1}
    worse = {**row, "prompt": "p", "chosen_score": 0.5}
    frame = pl.DataFrame([row, worse, {**row, "prompt": "r", "chosen_score": float("nan")}])
    frame.write_parquet(front.root / "a.parquet")
    assert front.fetch(front.root / "a.parquet", filters=["label_contradicted"]) == 0
    assert front.standardize() == 0
    assert front.rules("r.parquet") == ["label_contradicted", "unknown_label"]
    detail = pl.read_parquet(front.at("r.parquet")).filter(rule="label_contradicted")["detail"][0]
    assert detail == "chosen_score 0.5, rejected_score 1.0"


def test_null_contents_and_roles_are_rejected_not_kept(front: Front) -> None:
    good = {"chosen": turns("q", "x"), "rejected": turns("q", "y")}
    blank = {"chosen": turns("q", "a", None, "x"), "rejected": turns("q", "a", None, "y")}
    nobody = {side: [{"role": None, "content": "q"}, *turns("q", "z" + side)[1:]] for side in good}
    silent = {"chosen": turns("q", None), "rejected": turns("q", "y")}
    holes = {side: [None, *turns("q", "w" + side)[1:]] for side in good}
    kept = read(front, "trl", [good, blank, nobody, silent, holes], ["structural"])
    assert pairs(kept) == {("x", "y")}
    assert front.rules("r.parquet") == ["bad_roles", "bad_roles", "empty_prompt", "empty_response"]


def test_a_text_prompt_beside_answers_or_whole_lists_is_the_same_pair(front: Front) -> None:
    whole = {"prompt": "q", "chosen": turns("q", "x"), "rejected": turns("q", "y")}
    alone = {**whole, "chosen": turns("q", "x")[1:], "rejected": turns("q", "y")[1:]}
    kept = read(front, "trl", [whole, alone], ["structural"])
    assert kept.height == 1
    assert kept["prompt"][0].to_list() == turns("q")
    assert front.rules("r.parquet") == ["duplicate"]


@pytest.mark.parametrize("shape", ["struct", "list", "text"])
def test_sharegpt_answers_may_be_turns_lists_or_texts(front: Front, shape: str) -> None:
    def answer(text: str) -> Any:
        turn = {"from": "gpt", "value": text}
        return {"struct": turn, "list": [turn], "text": text}[shape]

    row = {
        "conversations": [{"from": "human", "value": "q"}],
        "chosen": answer("x"),
        "rejected": answer("y"),
    }
    assert pairs(read(front, "sharegpt_pairs", [row], ["structural"])) == {("x", "y")}
    pl.DataFrame([row]).write_parquet(front.root / "a.parquet")
    assert front.fetch(front.root / "a.parquet", format="sharegpt_pairs", filters=[]) == 0
    assert front.standardize() == 0
    assert pairs(pl.read_parquet(front.at("t.parquet"))) == {("x", "y")}


def test_messages_may_have_other_fields_in_another_order(front: Front) -> None:
    def said(answer: str) -> list[dict[str, Any]]:
        made = turns("q", answer)
        return [{"content": m["content"], "name": None, "role": m["role"]} for m in made]

    row = {"chosen": said("x"), "rejected": said("y"), "rating_chosen": 5.0, "rating_rejected": 4}
    pl.DataFrame([row], strict=False).write_parquet(front.root / "a.parquet")
    assert front.fetch(front.root / "a.parquet", format="capybara", filters=["structural"]) == 0
    assert front.standardize() == 0
    table = pl.read_parquet(front.at("t.parquet"))
    assert (pairs(table), table["prompt"][0].to_list()) == ({("x", "y")}, turns("q"))


def completion(text: str, *ratings: Any) -> dict[str, Any]:
    aspects = ("instruction_following", "honesty", "truthfulness", "helpfulness")
    given = {a: {"Rating": r, "Rationale": "."} for a, r in zip(aspects, ratings, strict=False)}
    return {"model": "m", "response": text, "annotations": given}


def test_ultrafeedback_ratings_may_be_numbers_odd_texts_or_absent(front: Front) -> None:
    answers = [
        completion("good", 5, "4", "5", "5"),
        completion("bad", "1"),
        completion("odd", "nan", "inf", "four", None),
        {"model": "m", "response": "bare", "annotations": None, "fine-grained_score": 3},
    ]
    row = {"instruction": "q", "completions": answers, "source": None}
    kept = read(front, "ultrafeedback", [row], ["na_ratings", "structural", "tie"])
    assert pairs(kept) == {("good", "bad"), ("good", "bare"), ("bare", "bad")}
    assert front.rules("r.parquet") == ["na_ratings"] * 3
    kept = read(front, "ultrafeedback", [row], ["structural", "tie"])
    assert front.rules("r.parquet") == ["unknown_label"] * 3


def test_nectar_answers_of_equal_or_no_rank_are_named_and_counted(front: Front) -> None:
    ranks = {"a": 1.0, "b": 1.0, "c": 2.5, "d": 2.5, "e": None, "f": 4}
    answers = [{"answer": text, "model": "m", "rank": rank} for text, rank in ranks.items()]
    row = {"prompt": "\n\nHuman: hi\n\nAssistant: ", "answers": answers}
    kept = read(front, "nectar", [row], ["structural", "tie"])
    assert pairs(kept) == {("a", "c"), ("a", "d"), ("a", "f")}
    assert front.rules("r.parquet") == ["tie", "unknown_label"]
    assert pl.read_parquet(front.at("r.parquet"))["item_id"].n_unique() == 2


def test_lists_of_mixed_numbers_and_missing_optional_columns_are_read(front: Front) -> None:
    row = {
        "input": "q", "chosen": "x", "rejected": "y", "status": "swapped", "chosen_score": 9,
        "in_gsm8k_train": False,
    }  # fmt: skip
    rated = {**row, "input": "p", "system": None, "rating": [9, 4.5]}
    kept = read(front, "orca", [row, rated], ["status_tie", "structural"])
    assert sorted(kept["margin"].to_list(), key=str) == [4.5, None]


def test_benchmark_turns_may_be_texts_or_structs(front: Front) -> None:
    for turn in ("one", {"content": "one"}):
        rows = [{"turns": [turn], "question_id": 1, "reference": None}]
        kept = read(front, "mt_bench", rows, [], kind="benchmark")
        assert kept["text"].to_list() == ["one"]


def test_the_language_rule_looks_at_the_prompt_where_there_is_no_answer(front: Front) -> None:
    rows = [{"prompt": "plain words"}, {"prompt": "\u4e2d\u6587\u5b57"}]
    read(front, "prompt_column", rows, [{"language": 0.5}], kind="prompts")
    assert front.rules("r.parquet") == ["language"]


def test_a_column_of_dates_is_one_line(front: Front, capsys: pytest.CaptureFixture[str]) -> None:
    file = front.root / "a.parquet"
    dates = pl.Series("rejected", [0], dtype=pl.Date)
    pl.DataFrame({"prompt": ["q"], "chosen": ["x"], "rejected": dates}).write_parquet(file)
    assert front.fetch(file) == 2
    one_line(capsys, "column rejected is Date, not String")


@pytest.mark.skipif(not ROWS.is_dir(), reason="the real rows of ../shared/data are not here")
@pytest.mark.parametrize(
    ("name", "form", "lost"),
    [
        ("pku_saferlhf_rows", "pku_saferlhf", []),
        ("summarize_from_feedback_rows", "summarize", ["missing_value"]),  # an axis row: no pair
    ],
)
def test_published_rows_give_the_pair_of_their_own_label(
    front: Front, name: str, form: str, lost: list[str]
) -> None:
    file = ROWS / f"{name}.jsonl"
    filters = ["label_contradicted", "structural"]
    assert front.fetch(file, format=form, filters=filters) == 0
    assert front.standardize() == 0
    metrics = json.loads(Path(front.at("m.json")).read_text())
    assert (metrics["kept"], metrics["rules"], front.rules()) == (2 - len(lost), {}, lost)
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    expected = {tuple(_sides(form, row)) for row in rows if form != "summarize" or "choice" in row}
    assert pairs(pl.read_parquet(front.at("t.parquet"))) == expected


def _sides(form: str, row: dict[str, Any]) -> list[str]:
    """The chosen and the rejected text of a published row, by its card."""
    if form == "summarize":
        texts = [one["text"].strip() for one in row["summaries"]]
        return [texts[row["choice"]], texts[1 - row["choice"]]]
    alike = row["is_response_0_safe"] == row["is_response_1_safe"]
    best = row["better_response_id"] if alike else row["safer_response_id"]
    return [row[f"response_{best}"], row[f"response_{1 - best}"]]


@pytest.mark.skipif(not ROWS.is_dir(), reason="the real rows of ../shared/data are not here")
def test_a_published_helpsteer_row_without_a_rival_is_named(
    front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    file = ROWS / "helpsteer_row.jsonl"
    assert front.fetch(file, format="helpsteer", filters=["structural", "tie"]) == 0
    assert front.standardize() == 2
    one_line(capsys, "keep none of 1 items", "no_pair")
    row = json.loads(file.read_text())
    rival = {**row, "response": "Fine", "helpfulness": 1}
    kept = read(front, "helpsteer", [row, rival], ["structural", "tie"])
    assert pairs(kept) == {(row["response"], "Fine")}
    assert kept["margin"].to_list() == [1.0]


@pytest.mark.parametrize("filters", [["structural"], [{"control_tokens": ["<odd>"]}]])
def test_a_row_that_spells_a_marker_of_the_recipes_template_is_one_reject(
    front: Front, filters: list[Any]
) -> None:
    rows = [
        {"prompt": "What does [MOT] mean?", "chosen": "x", "rejected": "y"},
        {"prompt": "q", "chosen": "a [/MOT] b", "rejected": "y"},
        {"prompt": "q", "chosen": "MOT", "rejected": "y"},
    ]
    file = write(front.root / "rows.jsonl", lines(*rows))
    control = write(front.root / "control.json", b'{"turns": ["[MOT]", "[/MOT]"]}')
    assert front.fetch(file, format="strings", filters=filters) == 0
    assert front.standardize("--control", str(control)) == 0
    assert pairs(pl.read_parquet(front.at("t.parquet"))) == {("MOT", "y")}
    rejects = pl.read_parquet(front.at("r.parquet"))
    assert rejects["rule"].to_list() == ["control_tokens"] * 2
    assert set(rejects["detail"]) == {"[MOT]", "[/MOT]"}
