"""Every format on literal native rows: what it reads, which side wins, which rule drops what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curation.core.errors import UserError
from curation.reading import native
from curation.rules import filters
from curation.sources.aliases import with_aliases
from curation.sources.formats import FORMATS, find
from curation.sources.judged import Normaliser
from tests.curation.sources.standardized import tables

Rows = list[dict[str, Any]]


def run(
    tmp_path: Path, name: str, rows: Rows, rules: list[Any], **options: Any
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Kept rows and the number of items by rule, from native rows as a file would hold them."""
    form = FORMATS[name]
    seen, held = native.peek(native.read_lists(iter(rows)))
    options = dict(with_aliases(form, options, seen))
    layout = native.choose_layout(form, seen, options, "test")
    ledger = native.Ledger()
    typed = pl.concat(native.typed_frames(held, layout, options, ledger))
    assert not ledger.bad, ledger.bad
    bound = filters.of_source(rules, form.kind, "test.filters")
    source = Normaliser(name, form, layout, options)
    kept, rejects, done = tables(source, bound, native.with_row_ids(typed.lazy()), tmp_path)
    assert done.items == kept.height + rejects.height
    assert all(isinstance(json.loads(text), dict) for text in rejects["payload"].to_list())
    return kept, dict(rejects["rule"].value_counts().iter_rows())


def said(*texts: str) -> list[dict[str, str]]:
    return [{"role": ("user", "assistant")[i % 2], "content": t} for i, t in enumerate(texts)]


def hh(prompt: str, answer: str) -> str:
    return f"\n\nHuman: {prompt}\n\nAssistant: {answer}"


def sides(kept: pl.DataFrame) -> set[tuple[str, str]]:
    return {(row["chosen"][0]["content"], row["rejected"][0]["content"]) for row in kept.to_dicts()}


def test_hh_rlhf_splits_transcripts_and_names_every_fault(tmp_path: Path) -> None:
    two = hh("a", "b") + hh("c", "")
    rows = [
        {"chosen": two + "good", "rejected": two + "bad"},
        {"chosen": hh("q", "x"), "rejected": hh("other", "y")},
        {"chosen": hh("q", " "), "rejected": hh("q", "y")},
        {"chosen": hh("q", "same"), "rejected": hh("q", " same ")},
        {"chosen": hh("q", "x\x00"), "rejected": hh("q", "y")},
        {"chosen": hh("q", "x<|user|>"), "rejected": hh("q", "y")},
        {"chosen": "no turns at all", "rejected": hh("q", "y")},
        {"chosen": hh("", "x"), "rejected": hh("", "y")},
        {"chosen": hh("q", "x") + "\n\nHuman: and?", "rejected": hh("q", "y") + "\n\nHuman: or?"},
    ]
    kept, rules = run(tmp_path, "hh_rlhf", rows, ["structural"])
    assert sides(kept) == {("good", "bad")}
    assert [m["content"] for m in kept["prompt"][0]] == ["a", "b", "c"]
    assert kept["turns"].to_list() == [3]
    assert rules == {
        "unequal_prompts": 2,
        "empty_response": 1,
        "identical_responses": 1,
        "invalid_text": 1,
        "control_tokens": 1,
        "empty_prompt": 1,
        "odd_turns": 1,
    }


def shp_row(post: int, labels: int, ratio: float, number: int = 0) -> dict[str, Any]:
    return {
        "history": f"post {post}",
        "human_ref_A": f"A{post}.{number}",
        "human_ref_B": f"B{post}.{number}",
        "labels": labels,
        "score_ratio": ratio,
        "score_A": 9,
        "score_B": 3,
    }


def test_shp_label_1_means_a_is_preferred(tmp_path: Path) -> None:
    kept, rules = run(tmp_path, "shp", [shp_row(1, 1, 3.0), shp_row(2, 0, 3.0)], ["score_ratio"])
    assert sides(kept) == {("A1.0", "B1.0"), ("B2.0", "A2.0")}
    assert rules == {}


def test_shp_keeps_ratios_strictly_above_two_and_the_five_highest_of_a_post(tmp_path: Path) -> None:
    crowd = [shp_row(1, 1, 2.5 + n, n) for n in range(7)]
    rows = [*crowd, shp_row(2, 1, 2.0), shp_row(3, 1, 1.5)]
    kept, rules = run(tmp_path, "shp", rows, ["score_ratio", "per_prompt_cap"])
    assert rules == {"score_ratio": 2, "per_prompt_cap": 2}
    assert {left for left, _ in sides(kept)} == {f"A1.{n}" for n in range(2, 7)}


def test_helpsteer_pairs_responses_of_one_prompt_by_mean_of_two_ratings(tmp_path: Path) -> None:
    def row(prompt: str, response: str, helpful: int, correct: int) -> dict[str, Any]:
        return {
            "prompt": prompt,
            "response": response,
            "helpfulness": helpful,
            "correctness": correct,
        }

    rows = [row("p", "a", 4, 4), row("p", "b", 2, 2), row("p", "c", 1, 3), row("lone", "d", 4, 4)]
    kept, rules = run(tmp_path, "helpsteer", rows, ["structural", "tie"])
    assert sides(kept) == {("a", "b"), ("a", "c")}
    assert rules == {"tie": 1, "no_pair": 1}
    assert kept["margin"].to_list() == [2.0, 2.0]


def pku_row(safe: tuple[bool, bool], better: int, safer: int) -> dict[str, Any]:
    return {
        "prompt": f"p{safe}{better}{safer}",
        "response_0": "zero",
        "response_1": "one",
        "is_response_0_safe": safe[0],
        "is_response_1_safe": safe[1],
        "better_response_id": better,
        "safer_response_id": safer,
    }


def test_pku_uses_safer_where_one_is_safe_and_better_where_both_are_alike(tmp_path: Path) -> None:
    rows = [
        pku_row((True, False), 1, 0),  # one safe: the safer wins though the other is "better"
        pku_row((True, True), 1, 0),  # both safe: the better wins
        pku_row((False, False), 0, 1),  # both unsafe: the better wins
        pku_row((False, True), 0, 0),  # the one called safer is flagged unsafe
    ]
    kept, rules = run(tmp_path, "pku_saferlhf", rows, ["label_contradicted", "structural"])
    winners = {p[0]["content"]: c[0]["content"] for p, c in kept.select("prompt", "chosen").rows()}
    assert list(winners.values()).count("zero") == 2
    assert winners["p(True, True)10"] == "one"
    assert rules == {"label_contradicted": 1}


def completion(text: str, *ratings: str) -> dict[str, Any]:
    aspects = ("instruction_following", "honesty", "truthfulness", "helpfulness")
    return {
        "response": text,
        "annotations": {a: {"Rating": r} for a, r in zip(aspects, ratings, strict=True)},
        "overall_score": 10.0,
        "fine-grained_score": None,
    }


def test_ultrafeedback_skips_na_ratings_and_the_wrong_overall_score(tmp_path: Path) -> None:
    row = {
        "instruction": "do it",
        "completions": [
            completion("good", "5", "N/A", "5", "5"),
            completion("bad", "1", "1", "1", "1"),
            completion("none", "N/A", "N/A", "N/A", "N/A"),
            completion("like bad", "1", "1", "1", "1"),
        ],
    }
    kept, rules = run(tmp_path, "ultrafeedback", [row], ["na_ratings", "structural", "tie"])
    assert sides(kept) == {("good", "bad"), ("good", "like bad")}
    assert rules == {"na_ratings": 3, "tie": 1}


def test_nectar_sets_rank_one_against_every_worse_answer_or_the_worst(tmp_path: Path) -> None:
    ranks = {"first": 1.0, "second": 2.0, "third": 3.0}
    answers = [{"answer": text, "model": "m", "rank": rank} for text, rank in ranks.items()]
    row = {"prompt": "\n\nHuman: hi\n\nAssistant: ", "answers": answers}
    kept, _ = run(tmp_path / "all", "nectar", [row], ["structural"])
    assert sides(kept) == {("first", "second"), ("first", "third")}
    assert kept["prompt"][0].to_list() == said("hi")
    kept, _ = run(tmp_path / "worst", "nectar", [row], ["structural"], against="worst")
    assert sides(kept) == {("first", "third")}


def test_summarize_takes_the_chosen_summary_and_builds_the_prompt(tmp_path: Path) -> None:
    info = {"id": "1", "post": "long text", "title": "T", "subreddit": "r1"}
    summaries = [{"text": " short", "policy": "a"}, {"text": "worse", "policy": "b"}]
    kept, _ = run(
        tmp_path, "summarize", [{"info": info, "summaries": summaries, "choice": 0}], ["structural"]
    )
    assert sides(kept) == {("short", "worse")}
    prompt = kept["prompt"][0][0]["content"]
    assert prompt.startswith("SUBREDDIT: r/r1\n\nTITLE: T\n\nPOST: long text\n\n")


def orca_row(number: int, **more: Any) -> dict[str, Any]:
    return {
        "system": "be kind",
        "input": f"q{number}",
        "chosen": "c",
        "rejected": "r",
        "status": "unchanged",
        "rating": [9.0, 4.0],
        "chosen_score": 9.0,
        "in_gsm8k_train": False,
        **more,
    }


def test_orca_applies_the_three_rules_of_its_card(tmp_path: Path) -> None:
    rows = [
        orca_row(0),
        orca_row(1, status="tie"),
        orca_row(2, chosen_score=7.5),
        orca_row(3, in_gsm8k_train=True),
        orca_row(4, status="swapped", chosen_score=8.0, system=""),
    ]
    card = ["status_tie", {"low_chosen_score": 8}, "in_gsm8k_train", "structural"]
    kept, rules = run(tmp_path, "orca", rows, card)
    assert rules == {"status_tie": 1, "low_chosen_score": 1, "in_gsm8k_train": 1}
    assert sorted(len(prompt) for prompt in kept["prompt"]) == [1, 2]
    assert kept["turns"].to_list() == [1, 1]


def test_capybara_and_ultrainteract_and_sharegpt_pairs_read_message_lists(tmp_path: Path) -> None:
    capybara = {
        "chosen": said("a", "b", "c", "good"),
        "rejected": said("a", "b", "c", "bad"),
        "rating_chosen": 5,
        "rating_rejected": 2,
    }
    tied = {**capybara, "rating_rejected": 5}
    kept, rules = run(tmp_path / "c", "capybara", [capybara, tied], ["structural", "tie"])
    assert sides(kept) == {("good", "bad")}
    assert rules == {"tie": 1}
    speech = [{"from": "human", "value": "hi"}]
    row = {"trajectory": speech, "chosen": "good", "rejected": "bad"}
    kept, _ = run(tmp_path / "u", "ultrainteract", [row], ["structural"])
    assert kept["prompt"][0].to_list() == said("hi")
    pair = {
        "conversations": [{"from": "system", "value": "s"}, *speech],
        "chosen": {"from": "gpt", "value": "good"},
        "rejected": {"from": "gpt", "value": "bad"},
    }
    kept, _ = run(tmp_path / "s", "sharegpt_pairs", [pair], ["structural"])
    assert [m["role"] for m in kept["prompt"][0]] == ["system", "user"]


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("trl", {"prompt": said("q"), "chosen": said("", "x")[1:], "rejected": said("", "y")[1:]}),
        ("trl", {"chosen": said("q", "x"), "rejected": said("q", "y")}),
        ("trl", {"prompt": "q", "chosen": "x", "rejected": "y"}),
        ("rlhflow", {"chosen": said("q", "x"), "rejected": said("q", "y")}),
        ("strings", {"prompt": "q", "chosen": "x", "rejected": "y"}),
        ("orca_intel", {"system": "", "question": "q", "chosen": "x", "rejected": "y"}),
        (
            "code_ultrafeedback",
            {
                "instruction": "q",
                "chosen": "x",
                "rejected": "y",
                "chosen_score": 4.0,
                "rejected_score": 2.0,
            },
        ),
        (
            "argilla_math",
            {
                "instruction": "q",
                "chosen_response": "x",
                "rejected_response": "y",
                "chosen_rating": 9,
                "rejected_rating": 7,
            },
        ),
        (
            "ultrafeedback_binarized",
            {
                "chosen": said("q", "x"),
                "rejected": said("q", "y"),
                "score_chosen": 8.0,
                "score_rejected": 5,
            },
        ),
        (
            "ultrafeedback_binarized",
            {
                "prompt": "q",
                "chosen": "x",
                "rejected": "y",
                "metadata": {"score_chosen": 8, "score_rejected": 5.5},
            },
        ),
    ],
)
def test_the_same_comparison_has_one_id_in_every_form(
    tmp_path: Path, name: str, row: dict[str, Any]
) -> None:
    kept, rules = run(tmp_path, name, [row], ["structural"])
    assert rules == {}
    assert kept["pair_id"].to_list() == ["a35cc005ca13c86d6886ca3b"]


SPEECH = [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("sharegpt", {"conversations": SPEECH}),
        ("messages", {"messages": said("q", "a")}),
        ("alpaca", {"instruction": "q", "input": "", "output": "a"}),
        ("gpteacher", {"instruction": "q", "input": " ", "response": "a"}),
        ("instruction_response", {"instruction": "q", "response": "a"}),
        ("instruction_output", {"instruction": "q", "output": "a"}),
        ("question_answer", {"question": "q", "answer": "a"}),
        ("ultrainteract_sft", {"id": "1", "instruction": "q", "response": "a"}),
    ],
)
def test_sft_forms_give_the_same_example(tmp_path: Path, name: str, row: dict[str, Any]) -> None:
    kept, rules = run(tmp_path, name, [row, row], ["structural"])
    assert rules == {"duplicate": 1}
    assert kept["messages"][0].to_list() == said("q", "a")


def test_an_input_stands_below_its_instruction(tmp_path: Path) -> None:
    row = {"instruction": "add", "input": "1 2", "output": "3"}
    kept, _ = run(tmp_path, "alpaca", [row], ["structural"])
    assert kept["messages"][0][0]["content"] == "add\n\n1 2"


@pytest.mark.parametrize(
    ("name", "row", "options"),
    [
        ("ultrafeedback_prompts", {"instruction": "q", "source": "x"}, {}),
        ("helpsteer_prompts", {"prompt": "q"}, {}),
        ("dibt", {"prompt": "q", "avg_rating": 1.0}, {}),
        ("alpaca_eval_prompts", {"instruction": "q"}, {}),
        ("prompt_column", {"text": "q"}, {"column": "text"}),
        ("openorca", {"system_prompt": "", "question": "q"}, {}),
        ("ultrainteract_prompts", {"instruction": "q"}, {}),
        ("ultrainteract_prompts", {"trajectory": SPEECH}, {}),
        ("capybara_prompts", {"conversation": [{"input": "q", "output": "a"}]}, {}),
    ],
)
def test_prompt_forms_give_the_same_prompt(
    tmp_path: Path, name: str, row: dict[str, Any], options: dict[str, Any]
) -> None:
    kept, rules = run(tmp_path, name, [row, row], ["structural"], **options)
    assert rules == {"duplicate_prompt": 1}
    assert kept["messages"][0].to_list() == said("q")


STRUCTS = [{"turns": [{"content": "one"}]}, {"turns": [{"content": "two"}]}]


def test_mt_bench_under_another_name_gives_one_item_per_turn(tmp_path: Path) -> None:
    """HuggingFaceH4/mt_bench_prompts has both turns in `prompt`, and Arena-Hard has structs."""
    for rows, name in (([{"prompt": ["one", "two"]}], "prompt"), (STRUCTS, "turns")):
        kept, rules = run(tmp_path, "mt_bench", rows, [], columns={"turns": name})
        assert sorted(kept["text"]) == ["one", "two"]
        assert not rules


def test_mt_bench_gives_one_item_per_turn(tmp_path: Path) -> None:
    kept, _ = run(tmp_path, "mt_bench", [{"turns": ["one", "two"]}], [])
    assert set(kept["text"]) == {"one", "two"}


def test_columns_of_another_name_are_renamed_by_options(tmp_path: Path) -> None:
    row = {"question": "q", "best": "x", "worst": "y"}
    names = {"prompt": "question", "chosen": "best", "rejected": "worst"}
    kept, _ = run(tmp_path, "strings", [row], ["structural"], columns=names)
    assert sides(kept) == {("x", "y")}


def test_missing_columns_are_all_named_in_one_line() -> None:
    with pytest.raises(
        UserError, match=r"lacks the columns chosen, rejected, which format hh_rlhf"
    ):
        native.choose_layout(FORMATS["hh_rlhf"], {"text": {"string"}}, {}, "file")


def test_an_unknown_format_and_a_format_of_another_kind_are_refused() -> None:
    with pytest.raises(
        UserError, match=r"sources.x.format: no format is named hhrlhf; did you mean hh_rlhf"
    ):
        find("hhrlhf", "preference", "sources.x")
    with pytest.raises(UserError, match="alpaca reads sft rows, but kind is preference"):
        find("alpaca", "preference", "sources.x")


def test_rules_that_a_format_cannot_serve_are_refused(tmp_path: Path) -> None:
    row = {"prompt": "q", "chosen": "x", "rejected": "y"}
    with pytest.raises(UserError, match="score_ratio reads score ratio, which format strings"):
        run(tmp_path, "strings", [row], ["score_ratio"])
    with pytest.raises(UserError, match="over_long_prompt needs --tokenizer"):
        run(tmp_path, "strings", [row], [{"over_long_prompt": 5}])


SHARE = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Arr"}]
PIRATE = {"system": "Talk like a pirate."}
HISTORY = [["Name a country.", "Peru."]]


@pytest.mark.parametrize(
    ("form", "row", "roles"),
    [
        ("alpaca", {"instruction": "q", "output": "x", "history": HISTORY, **PIRATE}, "suaua"),
        ("alpaca", {"instruction": "q", "output": "x", "history": [], "system": " "}, "ua"),
        ("gpteacher", {"instruction": "q", "response": "x", "system_prompt": "s"}, "sua"),
        ("question_answer", {"question": "q", "answer": "x", "history": HISTORY}, "uaua"),
        ("sharegpt", {"conversations": SHARE, **PIRATE}, "sua"),
        ("messages", {"messages": said("q", "x"), **PIRATE}, "sua"),
    ],
)
def test_columns_beside_a_conversation_are_its_turns(
    tmp_path: Path, form: str, row: dict[str, Any], roles: str
) -> None:
    kept, _ = run(tmp_path, form, [row], ["structural"])
    assert "".join(m["role"][0] for m in kept["messages"][0]) == roles


def test_a_system_turn_that_is_there_already_stays_alone(tmp_path: Path) -> None:
    own = {"role": "system", "content": PIRATE["system"]}
    rows = [{"messages": [own, *said("q", "x")], **PIRATE}]
    kept, _ = run(tmp_path, "messages", rows, ["structural"])
    assert [m["role"] for m in kept["messages"][0]] == ["system", "user", "assistant"]
    other = {"messages": [own, *said("r", "x")], "system": "Another."}
    _, rules = run(tmp_path / "b", "messages", [*rows, other], ["structural"])
    assert rules == {"odd_turns": 1}


@pytest.mark.parametrize("names", ["score_{}", "{}_score", "{}_rating", "rating_{}", "{}_reward"])
def test_scores_are_known_by_their_aliases(tmp_path: Path, names: str) -> None:
    good, bad = names.format("chosen"), names.format("rejected")
    sets = {"prompt": "q", "chosen": said("q", "x"), "rejected": said("q", "y")}
    rows = [{**sets, good: 5.0, bad: 3.0}, {**sets, good: 5, bad: 5}]
    kept, rules = run(tmp_path, "trl", rows, ["structural", "tie"])
    assert kept["margin"].to_list() == [2.0]
    assert rules == {"tie": 1}


def test_a_rule_of_scores_that_no_row_has_is_refused(tmp_path: Path) -> None:
    row = {"prompt": "q", "chosen": "x", "rejected": "y"}
    with pytest.raises(UserError, match="low_margin reads chosen_score and rejected_score"):
        run(tmp_path, "strings", [row], [{"low_margin": 1.0}])


def test_a_prompt_that_the_sides_repeat_is_used_once(tmp_path: Path) -> None:
    one = {"prompt": said("q"), "chosen": said("q", "x"), "rejected": said("q", "y")}
    whole = {**one, "prompt": said("q", "x"), "rejected": said("q", "z")}
    ahead = [{"role": "system", "content": "s"}, *said("q")]
    led = {**one, "prompt": ahead, "rejected": said("q", "w")}
    kept, _ = run(tmp_path, "trl", [one, whole, led], ["structural"])
    prompts = {len(row["prompt"]): row["prompt"] for row in kept.to_dicts()}
    assert kept.height == 3
    assert prompts == {1: said("q"), 2: ahead}


def test_helpsteer2_turns_stand_behind_marks(tmp_path: Path) -> None:
    text = "Name one\n<extra_id_1>Assistant\nA wren.\n<extra_id_1>User\nAnother?"
    rates = {"helpfulness": 4, "correctness": 4}
    rows = [
        {"prompt": text, "response": "A finch.", **rates},
        {"prompt": text, "response": "No.", "helpfulness": 1, "correctness": 1},
    ]
    kept, _ = run(tmp_path, "helpsteer", rows, ["structural"])
    assert kept["prompt"][0].to_list() == said("Name one", "A wren.", "Another?")
    kept, _ = run(
        tmp_path / "p", "helpsteer_prompts", [{"prompt": f"{text}\n<extra_id_1>Assistant"}], []
    )
    assert kept["messages"][0].to_list() == said("Name one", "A wren.", "Another?")


def test_lists_as_text_are_read_as_lists(tmp_path: Path) -> None:
    python = str(said("q", "x"))  # single quotes: no JSON
    rows = [{"prompt": "q", "chosen": python, "rejected": json.dumps(said("q", "y"))}]
    kept, _ = run(tmp_path, "trl", rows, ["structural"])
    assert (sides(kept), kept["turns"].to_list()) == ({("x", "y")}, [1])


def test_a_prompt_set_may_have_turns(tmp_path: Path) -> None:
    rows = [{"context_messages": said("q", "a", "r")}, {"context_messages": said("s")}]
    kept, _ = run(tmp_path, "prompt_messages", rows, ["structural"])
    assert sorted(len(one) for one in kept["messages"].to_list()) == [1, 3]
    kept, _ = run(tmp_path / "c", "prompt_column", rows, ["structural"], column="context_messages")
    assert kept.height == 2


def test_parts_of_text_are_text_and_speakers_have_one_name(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "Hello, "}, {"type": "text", "text": "you"}]
    talk = [
        {"role": "developer", "content": "s"},
        {"role": "human", "content": parts},
        {"role": "model", "content": "x"},
    ]
    kept, _ = run(tmp_path, "messages", [{"messages": talk}], ["structural"])
    assert [m["role"] for m in kept["messages"][0]] == ["system", "user", "assistant"]
    assert kept["messages"][0][1]["content"] == "Hello, you"


def test_scored_lists_give_all_pairs_and_unequal_lists_none(tmp_path: Path) -> None:
    rows = [
        {"prompt": "q", "completions": ["x", "y", "z"], "rewards": [3, 1, 1]},
        {"prompt": "p", "completions": ["x", "y"], "rewards": [3]},
    ]
    kept, rules = run(tmp_path, "scored_lists", rows, ["tie"])
    assert sides(kept) == {("x", "y"), ("x", "z")}
    assert rules == {"tie": 1, "unknown_label": 1}


@pytest.mark.parametrize(
    "other", [{"rejected_response": "bad"}, {"rejected_messages": said("q", "bad")}]
)
def test_swift_pairs_are_a_conversation_and_another_answer(
    tmp_path: Path, other: dict[str, Any]
) -> None:
    kept, _ = run(tmp_path, "swift_pairs", [{"messages": said("q", "good"), **other}], [])
    assert sides(kept) == {("good", "bad")}
    assert kept["prompt"].to_list() == [said("q")]


def test_a_layout_without_its_columns_names_the_formats_that_fit(tmp_path: Path) -> None:
    rows = [{"instruction": "q", "input": "x", "chosen": "g", "rejected": "b"}]
    with pytest.raises(UserError, match=r"formats that read these: .*alpaca_pairs"):
        run(tmp_path, "strings", rows, [])


def test_the_text_of_a_number_is_a_score(tmp_path: Path) -> None:
    rows = [
        {"prompt": f"q{score}", "chosen": "g", "rejected": "b", "chosen_score": score, **other}
        for score, other in (("5", {"rejected_score": 5}), ("4.5", {"rejected_score": "1"}))
    ]
    kept, rules = run(tmp_path, "trl", rows, ["tie"])
    assert kept["margin"].to_list() == [3.5]
    assert rules == {"tie": 1}


def test_questions_without_answers_are_no_conversation(tmp_path: Path) -> None:
    """They were once cut to the first without a word."""
    with pytest.raises(AssertionError, match="array"):
        run(tmp_path, "prompt_column", [{"prompt": ["one", "two"]}], [])
    kept, _ = run(tmp_path, "prompt_column", [{"prompt": ["one"]}], [])
    assert kept["messages"][0].to_list() == said("one")


def wrote(kept: pl.DataFrame) -> set[tuple[str | None, str | None]]:
    return set(kept.select("chosen_model", "rejected_model").iter_rows())


def test_who_wrote_the_answers_comes_from_the_native_rows(tmp_path: Path) -> None:
    pair = {"prompt": "q", "chosen": "good", "rejected": "bad"}
    kept, _ = run(tmp_path, "trl", [{**pair, "chosen_model": "a", "rejected_model": "b"}], [])
    assert wrote(kept) == {("a", "b")}
    kept, _ = run(tmp_path, "trl", [pair], [])
    assert wrote(kept) == {(None, None)}
    ranked = [{"answer": text, "model": text, "rank": n} for n, text in ((2, "y"), (1, "x"))]
    row = {"prompt": "\n\nHuman: q\n\nAssistant: ", "answers": ranked}
    kept, _ = run(tmp_path, "nectar", [row], [])
    assert wrote(kept) == {("x", "y")}
    arena = {"model_a": "a", "model_b": "b", "winner": "model_b"}
    sides = {"conversation_a": said("q", "x"), "conversation_b": said("q", "y")}
    kept, _ = run(tmp_path, "arena", [{**arena, **sides}], [])
    assert wrote(kept) == {("b", "a")}


def test_a_models_name_is_no_part_of_a_row_that_has_none(tmp_path: Path) -> None:
    pair = {"prompt": "q", "chosen": "good", "rejected": "bad"}
    with_name, _ = run(tmp_path, "strings", [{**pair, "chosen_model": "a"}], [])
    without, _ = run(tmp_path, "strings", [pair], [])
    assert with_name["pair_id"].to_list() == without["pair_id"].to_list()
