"""What else changed: facts, lengths, similarity and kinds of two policies of a literal build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from curation.audit.changed import similarity, tables
from curation.audit.connect import open_build
from curation.audit.report.build import build as make
from curation.core import schema
from pipelines.core import params
from tests.conftest import ROOT
from tests.curation.audit.tiny import Row, generation, prompt, score, write

# prompt -> kind, and per policy the response with its parts
SAID: dict[int, tuple[str, dict[str, tuple[str, float, float]]]] = {
    5: ("one_word", {"sft": ("pool question five is", 0.0, 1.0), "iter1": ("no", 1.0, 0.0)}),
    6: ("one_word", {"sft": ("pool question six is", 0.0, 1.0), "iter1": ("so", 1.0, 0.0)}),
    8: ("bullets", {"sft": ("- pool question", 1.0, 1.0), "iter1": ("", 0.0, 0.0)}),
    9: ("bullets", {"sft": ("pool", 0.0, 0.0), "iter1": ("- pool question", 1.0, 1.0)}),
}


def parts(row: Row, kind: str, kept: float, right: float) -> list[Row]:
    own = {"generation_id": row["generation_id"], "kind": kind}
    return [own | {"part": "format", "value": kept}, own | {"part": "fact", "value": right}]


@pytest.fixture
def judged(build: Path) -> Path:
    """The tiny build with four held-out prompts, judged by an oracle that gives parts."""
    write(
        build / "prompts" / "prompts.parquet",
        schema.PROMPTS,
        [prompt(1, "train"), prompt(2, "train"), *(prompt(n, "eval") for n in SAID)],
    )
    for policy in ("sft", "iter1"):
        made, scores, told = [], [], []
        for number, (kind, said) in SAID.items():
            text, kept, right = said[policy]
            row = generation(number, 0, text, policy) | {"n_tokens": len(text)}
            made.append(row)
            scores.append(score(row, kept * right, "oracle"))
            told += parts(row, kind, kept, right)
        folder = build / "evaluation" / policy
        write(folder / "generations.parquet", schema.GENERATIONS, made)
        write(folder / "scores.parquet", schema.SCORES, scores)
        write(folder / "parts.parquet", schema.PARTS, told)
    return build


def of(rows: list[dict[str, Any]], **named: str) -> dict[str, Any]:
    (found,) = [row for row in rows if all(row[key] == named[key] for key in named)]
    return found


def test_measures_against_the_first_policy(judged: Path) -> None:
    measures, kinds = tables(open_build(judged))
    kept = of(measures, measure="part format")
    assert (kept["start"], kept["value"], kept["change"]) == (0.25, 0.75, 0.5)
    assert (kept["prompts"], kept["kinds"]) == (4, 2)
    right = of(measures, measure="part fact")
    assert (right["start"], right["value"]) == (0.75, 0.25)
    assert of(measures, measure="empty")["change"] == 0.25
    assert of(measures, measure="tokens")["change"] == pytest.approx((-19 - 18 - 15 + 11) / 4)
    assert of(measures, measure="similarity")["change"] < 0
    assert of(measures, measure="tokens")["equal"] is None  # a length has no equal length
    one = of(kinds, kind="one_word", measure="part format")
    assert (one["start"], one["value"], one["se"]) == (0.0, 1.0, 0.0)
    assert of(kinds, kind="bullets", measure="reward")["change"] == 0.0


def test_the_report_has_the_section_and_its_rows_where_the_oracle_gives_parts(
    judged: Path,
) -> None:
    recipe = params.load(ROOT / "recipes" / "sample.yaml").model_dump(mode="json")
    report = make(judged, recipe)
    assert 'id="changed-title">What else changed' in report.page
    assert "part fact" in report.page
    assert of(report.records()["changed.json"], measure="part fact")["change"] == -0.5
    assert {row["kind"] for row in report.records()["changed_kinds.json"]} == {
        "one_word",
        "bullets",
    }


def test_a_build_whose_oracle_gives_no_parts_has_neither(build: Path) -> None:
    recipe = params.load(ROOT / "recipes" / "sample.yaml").model_dump(mode="json")
    report = make(build, recipe)
    assert tables(open_build(build)) == ([], [])
    assert "What else changed" not in report.page
    assert "changed.json" not in report.records()


def test_similarity_is_of_words_whatever_their_case() -> None:
    asked = ["Name a river in France.", "Name a river in France.", "Name a river in France."]
    same, near, none = similarity(asked, ["NAME A RIVER in france", "the river Seine", ""])
    assert same == pytest.approx(1.0)
    assert 0.0 < near < 1.0
    assert none == 0.0
    assert similarity(["?"], ["!"]) == [0.0]
