"""prefloop ui in a real browser: a query, a what-if change, a review that ends in the table."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.curation.audit.tiny import EVIL
from tests.pipelines.commands.test_ui import cookie, served
from tests.pipelines.reviewed import run_pair, write

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    pytest.skip("no chromium on this machine", allow_module_level=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("ui")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        write(made)
    return made


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with served(folder) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(
            timeout=300_000, executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """A page of 390 pixels in the dark; a console error, a dialog or another host fails."""
    context = browser.new_context(
        viewport={"width": 390, "height": 800}, color_scheme="dark", base_url=address
    )
    name, _, value = cookie(address).partition("=")
    context.add_cookies([{"name": name, "value": value, "url": address}])
    opened = context.new_page()
    opened.set_default_timeout(300_000)  # a busy machine is no failure
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("dialog", lambda dialog: said.append("a dialog opened"))
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    yield opened
    assert said == []
    assert all(url.startswith(f"{address}/") for url in asked)
    context.close()


def test_a_query_by_keyboard_and_a_chart_of_it(page: Any) -> None:
    page.goto("/ask")
    page.fill("#query", "select prompt_id, margin from pairs order by margin desc")
    page.press("#query", "Control+Enter")
    expect(page.locator("#answer tbody tr")).to_have_count(4)
    assert page.locator("#answer tbody tr").first.inner_text().split() == ["calm", "5"]
    page.select_option("select[name=kind]", "bar")
    chart = page.get_by_role("img", name="margin by prompt_id. 4 rows.")
    chart.wait_for()
    assert chart.locator("path[aria-roledescription=bar]").count() == 4


def test_a_slider_pairs_again(page: Any) -> None:
    page.goto("/what-if?iteration=iter1")
    cards = page.locator("#result .cards dd")
    assert cards.all_inner_texts() == ["4", "0", "0", "0"]  # kept, flipped, added, dropped
    page.focus("input[name=min_margin]")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(cards).to_have_text(["3", "0", "0", "1"])
    assert page.locator("#result caption").inner_text() == "Rejects after: min_margin 1."
    assert "min_margin=0.2" in page.url
    page.select_option("select[name=strategy]", "best_second")
    expect(cards.first).not_to_have_text("3")
    page.reload()
    assert page.input_value("select[name=strategy]") == "best_second"


def test_the_pair_browser_filters_and_hostile_text_is_text(page: Any) -> None:
    page.goto("/pairs")
    assert page.locator(".pair").count() == 4
    page.fill("input[name=text]", "alert(1)")
    page.press("input[name=text]", "Enter")
    expect(page.locator(".pair")).to_have_count(1)
    page.add_style_tag(content=".pair { content-visibility: visible !important }")
    shown = page.locator(".response").first.inner_text()
    assert shown == EVIL.replace("\x07", "[U+0007]").replace("\u202e", "[U+202E]")
    assert page.evaluate("document.scripts.length") == 1
    page.click("text=Where it came from")
    assert page.inner_text("h1").startswith("Pair")
    assert "alert(1)" in page.inner_text("main")


def test_a_decision_ends_in_the_pairs_table(page: Any, folder: Path) -> None:
    table = folder / "data/iterations/iter1/pairs.parquet"
    before = {row["prompt_id"]: row for row in pl.read_parquet(table).to_dicts()}
    page.goto("/review")
    page.fill("input[name=reviewer]", "ann")
    page.click("text=Begin")
    assert "0 decided · 4 waiting" in page.inner_text(".count")
    row = before["close"]  # the queue's first: the smallest margin
    sides = [page.inner_text("#side-a"), page.inner_text("#side-b")]
    assert sorted(sides) == sorted(row[side][0]["content"] for side in ("chosen", "rejected"))
    shown = page.inner_text(".review")
    assert "chosen" not in shown
    assert "1.05" not in shown
    worse = "a" if sides[0] == row["rejected"][0]["content"] else "b"
    page.keyboard.press(worse)
    page.wait_for_selector(".told")
    assert page.inner_text(".told span").startswith("Flipped: the judge chose the other response")
    page.wait_for_load_state("load")  # before that the page does not hear a key
    page.keyboard.press("d")  # the next pair
    expect(page.locator(".told span")).to_contain_text("Dropped")
    page.wait_for_load_state("load")
    page.keyboard.press("u")
    expect(page.locator(".count")).to_contain_text("1 decided")
    assert run_pair(folder) == 0
    after = {row["prompt_id"]: row for row in pl.read_parquet(table).to_dicts()}
    assert len(after) == 4
    assert after["close"]["chosen"] == row["rejected"]
    assert [key for key in after if "review_flipped" in after[key]["flags"]] == ["close"]


@pytest.mark.parametrize(
    "path", ["/", "/ask", "/pairs", "/what-if", "/review", "/review?reviewer=ann"]
)
def test_every_page_fits_a_phone_and_is_reached_by_keyboard(page: Any, path: str) -> None:
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    fields = "input:not([type=hidden]), select, textarea, button"
    nameless = f"""[...document.querySelectorAll("{fields}")]
        .filter(one => !one.labels?.length && !one.textContent && !one.ariaLabel).length"""
    assert page.evaluate(nameless) == 0
    if path == "/review":  # a name is all there is to give
        assert page.evaluate("document.activeElement.name") == "reviewer"
        return
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
