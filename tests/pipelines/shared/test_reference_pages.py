"""The generated pages are what the code says now, and each fact comes from where it is defined."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.shared.grids import grid
from pipelines.shared.reference_pages import PAGES, pages

FOLDER = Path("docs/reference")


@pytest.mark.parametrize("name", [f"{page}.md" for page in PAGES])
def test_a_generated_page_is_not_stale(name: str) -> None:
    written = (FOLDER / name).read_text("utf-8")
    assert written == pages()[name], f"{name} is stale: run prefloop reference"


def test_no_page_of_the_folder_is_left_over() -> None:
    assert {path.name for path in FOLDER.glob("*.md")} - {"index.md"} == set(pages())


def test_a_rule_a_check_a_query_and_a_flag_stand_on_their_pages() -> None:
    made = pages()
    assert "| `tie` | Equal scores name no winner. |  |  |" in made["rules.md"]
    assert "| `tie_rate` |" in made["checks.md"].partition("## pairs\n")[2].partition("\n## ")[0]
    assert "| `pair_id` | String |  | Hash of prompt, chosen and rejected" in made["tables.md"]
    assert "| `waterfall` | What entered each curation stage by source" in made["queries.md"]
    life = made["commands.md"].partition("### prefloop why\n")[2].partition("\n### ")[0]
    assert "- `ID`: an id, or the beginning of one" in life


def test_a_bar_in_a_cell_is_no_column() -> None:
    assert grid(("a",), [("x|y\nz",)]) == "| a |\n| --- |\n| x\\|y z |"
