"""The report page: whole, escaped, the same bytes twice, honest about what is missing."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from curation.audit.report.browser import cut, marked, visible
from curation.audit.report.build import build as make
from curation.audit.report.page import number, percent
from pipelines.core import params
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def recipe() -> dict[str, Any]:
    return params.load(ROOT / "recipes" / "sample.yaml").model_dump(mode="json")


def _local(link: str | None) -> bool:
    return (link or "").startswith(("#", "iterations/", "../index.html", "iter"))


class Tags(HTMLParser):
    """Counts tags, and remembers the attributes that could load or run something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.risky: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.risky += [(k, v) for k, v in attrs if k in ("src", "onerror", "onclick", "onload")]
        self.risky += [(k, v) for k, v in attrs if k == "href" and not _local(v)]


def test_the_same_build_gives_the_same_bytes(build: Path, recipe: dict[str, Any]) -> None:
    first, second = make(build, recipe), make(build, recipe)
    assert first.page == second.page
    assert first.drawings() == second.drawings()
    assert first.records() == second.records()


def test_model_text_stays_text(build: Path, recipe: dict[str, Any]) -> None:
    page = make(build, recipe).page
    found = Tags()
    found.feed(page)
    assert found.tags.count("script") == 1
    assert found.risky == []
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in re.sub("</?mark>", "", page)
    assert "[U+0007]" in page
    assert "\u202e" not in page
    assert "<b>x</b>" not in page


def test_an_iteration_page_is_as_safe(build: Path, recipe: dict[str, Any]) -> None:
    page = make(build, recipe).iterations["iter1"]
    found = Tags()
    found.feed(page)
    assert found.tags.count("script") == 1
    assert found.risky == []
    assert "sha-of-sft" in page
    assert page.count('<article class="pair"') == 1


def test_the_page_loads_nothing(build: Path, recipe: dict[str, Any]) -> None:
    page = make(build, recipe).page
    assert "default-src 'none'" in unescape(page)
    assert not re.search(r"@import|url\((?!#)|<link|<iframe|<object", page)


def test_ids_are_unique(build: Path, recipe: dict[str, Any]) -> None:
    ids = re.findall(r'\sid="([^"]+)"', make(build, recipe).page)
    assert len(ids) == len(set(ids))


def test_every_section_shows_its_rows(build: Path, recipe: dict[str, Any]) -> None:
    page = make(build, recipe).page
    assert 'class="missing"' not in page
    for text in (
        "75.0%",
        "paper: HH-RLHF",
        "✗ failed",
        "duplicate <b>\u22121</b>",
        "sampled0",
        "1 at the start",
    ):
        assert text in page
    for section in (
        "overview",
        "gates",
        "contract",
        "drops",
        "mixes",
        "iterations",
        "length-bias",
        "prompts",
        "pairs",
    ):
        assert f'<section id="{section}"' in page


def test_an_empty_build_says_what_is_missing(empty: Path, recipe: dict[str, Any]) -> None:
    report = make(empty, recipe)
    assert report.page.count('class="missing"') == 9
    assert report.figures == []
    assert report.policies == []
    assert report.summary["policies"] == {}


def test_a_build_without_an_oracle_shows_no_number(build: Path, recipe: dict[str, Any]) -> None:
    for file in build.glob("evaluation/*/scores.parquet"):
        file.unlink()
    report = make(build, recipe)
    assert [row["oracle_reward"] for row in report.policies] == [None, None]
    assert "Highest oracle reward" not in report.page


def test_policies_stand_in_the_order_of_the_loop(build: Path, recipe: dict[str, Any]) -> None:
    assert [row["policy"] for row in make(build, recipe).policies] == ["sft", "iter1"]


def test_the_summary_is_small_and_flat(build: Path, recipe: dict[str, Any]) -> None:
    summary = make(build, recipe).summary
    assert summary["policies"]["iter1"]["oracle_reward"] == 1.0
    assert summary["iterations"]["iter1"]["tie_rate"] == 0.5
    assert summary["gates"] == {"passed": 4, "failed": 1}
    assert summary["dropped"] == 3


def test_the_sample_of_pairs_is_bounded(build: Path, recipe: dict[str, Any]) -> None:
    one = {**recipe, "report": {"pairs_sample": 1}}
    assert make(build, one).page.count('<article class="pair"') == 1
    none = {**recipe, "report": {"pairs_sample": 0}}
    assert make(build, none).page.count('<article class="pair"') == 0


def test_differing_words_are_marked() -> None:
    left, right = marked("the cow says moo", "the dog says moo")
    assert left == [(False, "the "), (True, "cow"), (False, " says moo")]
    assert right == [(False, "the "), (True, "dog"), (False, " says moo")]


def test_control_characters_are_visible_and_long_text_is_counted() -> None:
    assert visible("a\x00b\u202ec\nd\te") == "a[U+0000]b[U+202E]c\nd\te"
    assert cut("x" * 1300).endswith("[… 100 more characters]")


def test_numbers_for_people() -> None:
    assert [number(1234), number(0.5), number(None), percent(0.123)] == [
        "1,234",
        "0.50",
        "\u2013",
        "12.3%",
    ]
