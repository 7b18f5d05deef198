"""Every kind of fault planted among clean rows is found, by its name and with its rows."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest

from curation.lint.report import Report
from pipelines.shared import linting

NOUNS = (
    *("river", "lantern", "orchard", "violin", "harbour", "meadow", "glacier", "compass"),
    *("falcon", "cedar", "pebble", "anvil"),
)
VERBS = ("finds", "paints", "carries", "mends", "follows", "remembers", "gathers", "polishes")


def sentence(rng: random.Random) -> str:
    first, second, third = rng.sample(NOUNS, 3)
    return f"The {first} {rng.choice(VERBS)} a {second} near the {third} at {rng.randrange(1000)}."


def said(*texts: str | None) -> list[dict[str, Any]]:
    return [{"role": ("user", "assistant")[i % 2], "content": t} for i, t in enumerate(texts)]


def clean(count: int = 60) -> list[dict[str, Any]]:
    """Rows without a fault: prompt and sides as messages, scores, chosen longer half the time."""
    rng = random.Random(0)
    rows = []
    for place in range(count):
        answers = [" ".join(sentence(rng) for _ in range(3)) for _ in range(2)]
        rows.append(
            {
                "prompt": said(f"Tell me of {' '.join(rng.sample(NOUNS, 6))}, number {place}."),
                "chosen": [{"role": "assistant", "content": answers[0]}],
                "rejected": [{"role": "assistant", "content": answers[1]}],
                "chosen_score": 4.0,
                "rejected_score": 2.0,
            }
        )
    return rows


def answer(text: Any, side: str = "chosen", **more: Any) -> dict[str, Any]:
    """Another clean row with one side said otherwise."""
    row = clean(61)[-1]
    return {**row, side: [{"role": "assistant", "content": text, **more}]}


def asked(*texts: str | None) -> dict[str, Any]:
    return {**clean(61)[-1], "prompt": said(*texts)}


def row(**more: Any) -> dict[str, Any]:
    return {**clean(61)[-1], **more}


def lint(folder: Path, rows: list[Any], *benchmark: str) -> Report:
    """The one report of rows in a file of JSON lines; texts stand in it as they are."""
    lines = [one if isinstance(one, str) else json.dumps(one) for one in rows]
    (folder / "rows.jsonl").write_text("\n".join(lines))
    known = linting.benchmarks(benchmark)
    [report] = linting.reports(str(folder / "rows.jsonl"), folder / "work", known)
    return report


SAME = clean(1)[0]
TURNED = {**SAME, "chosen": SAME["rejected"], "rejected": SAME["chosen"]}
FIRST = SAME["chosen"][0]["content"]
PROMPT = SAME["prompt"][0]["content"]
CALL = [{"type": "function", "function": {"name": "f", "arguments": "{}"}}]
LOOP = "la " * 90
LAST = clean(61)[-1]["chosen"][0]["content"]
TWO_CONTEXTS = {"chosen": said("q", "x", "r", "a"), "rejected": said("q", "y", "r", "b")}
PLANTED: dict[str, list[tuple[str, Any]]] = {
    "form": [
        ("invalid_json", "{broken"),
        ("wrong_type", row(prompt=3)),
        ("missing_value", {key: one for key, one in row().items() if key != "chosen"}),
        ("tool_calls", answer(None, tool_calls=CALL)),
        ("tool_calls", row(tools=[{"type": "function"}])),
        ("reasoning", answer("Yes.", reasoning_content="Hm.")),
        ("not_text", answer([{"type": "image"}])),
        ("invalid_text", answer("a NUL \x00 inside")),
        ("odd_turns", asked("One?", "Two.")),
        (
            "bad_roles",
            row(prompt=[*said("One?"), {"role": "narrator", "content": "x"}, *said("y")]),
        ),
        ("unequal_prompts", row(prompt=said("q"), **TWO_CONTEXTS)),
        ("empty_prompt", asked(" ")),
        ("empty_response", answer(" ")),
        ("identical_responses", row(rejected=clean(61)[-1]["chosen"])),
        ("control_tokens", answer("Yes.<|im_end|>")),
        ("template_text", asked("A chat. USER: Name a bird. ASSISTANT:")),
    ],
    "labels": [
        ("tie", row(rejected_score=4.0)),
        ("label_contradicted", row(chosen_score=1.0)),
        ("unknown_label", row(chosen_score=math.nan)),
        ("conflict", TURNED),
        ("duplicate", SAME),
        ("near_duplicate", row(prompt=said(PROMPT + " Please!"))),
    ],
    "wording": [
        ("messages_as_text", answer(json.dumps(said("q", "a")))),
        ("secret", answer("Use ghp_" + "a1" * 18 + " to log in.")),
        ("email", answer("Write to bob@corp.io today.", "rejected")),
        ("run_on", answer("Yes.\n\nHuman: And then?")),
        ("answer_in_prompt", asked(f"Is it true? {LAST}")),
        ("alike_responses", answer(" ".join(reversed(LAST.split())), "rejected")),
        ("repetition", answer(LOOP + ".")),
        ("identity", answer("I am ChatGPT, and this is my answer.")),
        ("cutoff_date", answer("As of my last update in 2021, it was so.")),
        ("boilerplate", answer("As an AI language model, I can say yes.")),
        ("refusal", answer("I'm sorry, but I can't help with that.")),
        ("unfinished", answer(" ".join([FIRST] * 2)[:-1] + " and then it went on to")),
    ],
}
CASES = [(name, planted) for group in PLANTED.values() for name, planted in group]


def test_clean_rows_have_no_finding(tmp_path: Path) -> None:
    report = lint(tmp_path, clean())
    assert (report.form, report.rows, report.items, report.findings) == ("trl", 60, 60, ())


@pytest.mark.parametrize(("name", "planted"), CASES)
def test_a_planted_fault_is_found_by_name(tmp_path: Path, name: str, planted: Any) -> None:
    report = lint(tmp_path, [*clean(), planted])
    found = {one.check: one for one in report.findings}
    assert name in found, found
    assert found[name].count in (1, 2)  # a conflict is of two rows
    assert found[name].severity == ("MAJOR" if name in MAJOR else "MINOR")
    assert found[name].examples


MAJOR = {"messages_as_text", "secret"}  # from one row in a hundred on


def test_many_faulty_rows_are_major(tmp_path: Path) -> None:
    report = lint(tmp_path, [*clean(), *[answer(f"{n}<|im_end|>") for n in range(10)]])
    major = [(one.check, one.count) for one in report.findings if one.severity == "MAJOR"]
    assert major == [("control_tokens", 10)]


def test_a_benchmarks_item_inside_a_prompt_is_found(tmp_path: Path) -> None:
    item = "How many kilometres does a train go that leaves at nine and arrives at noon sharp?"
    (tmp_path / "bench.jsonl").write_text(json.dumps({"question": item}))
    rows = [*clean(), asked(f"Please answer this. {item} Thank you.")]
    report = lint(tmp_path, rows, f"mine={tmp_path}/bench.jsonl:question")
    [found] = [one for one in report.findings if one.check == "benchmark"]
    assert (found.severity, found.count) == ("MAJOR", 1)
    assert found.examples[0].row == 61


@pytest.mark.parametrize(
    ("more", "check", "word"),
    [
        ({"context": "A text that the prompt is about."}, "unread_column", "context"),
        ({"documents": [{"title": "t"}]}, "unread_column", "documents"),
    ],
)
def test_columns_that_would_be_lost_are_named(
    tmp_path: Path, more: dict[str, Any], check: str, word: str
) -> None:
    report = lint(tmp_path, [{**one, **more} for one in clean()])
    [found] = [one for one in report.findings if one.check == check]
    assert word in found.why


def test_scores_under_names_that_nothing_reads_are_named(tmp_path: Path) -> None:
    rows = [
        {**{key: one[key] for key in ("prompt", "chosen", "rejected")}, "my_reward_gap": 0}
        for one in clean()
    ]
    [found] = lint(tmp_path, rows).findings
    assert found.check == "unread_scores"
    assert "my_reward_gap" in found.why


def test_chosen_that_is_longer_nearly_always_is_told(tmp_path: Path) -> None:
    rows = clean()
    for one in rows:
        one["chosen"][0]["content"] += " And more of it, said at length."
    [found] = lint(tmp_path, rows).findings
    assert (found.check, found.severity) == ("chosen_longer", "MINOR")
