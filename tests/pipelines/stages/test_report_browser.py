"""The report in a real browser: offline, no console error, filters, hostile text, a phone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.stages import report
from tests.conftest import ROOT
from tests.curation.audit.tiny import EVIL, write_build

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    pytest.skip("no chromium on this machine", allow_module_level=True)


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_build(folder / "data")
    out = folder / "data" / "report"
    recipe = str(ROOT / "recipes" / "sample.yaml")
    argv = ["--data", str(folder / "data"), "--out", str(out), "--params", recipe]
    argv += ["--metrics", str(folder / "data" / "metrics")]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert report.main(argv) == 0
    return out / "index.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-gpu"]
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=arguments, timeout=300_000)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, page_file: Path) -> Iterator[Any]:
    """The page at 390 pixels in the dark with the network off; console errors fail the test."""
    context = browser.new_context(
        viewport={"width": 390, "height": 800}, color_scheme="dark", offline=True
    )
    opened = context.new_page()
    opened.set_default_timeout(300_000)  # a busy machine is no failure
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("dialog", lambda dialog: said.append("a dialog opened"))
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(page_file.as_uri())
    yield opened
    assert said == []
    assert all(url.startswith("file://") for url in asked)
    context.close()


def test_it_fits_a_phone(page: Any) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_it_fits_paper(page: Any) -> None:
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 less its margins
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 718
    assert page.locator("nav:visible, .filters:visible").count() == 0


def test_a_phone_shows_every_verdict(page: Any) -> None:
    verdicts = page.locator("#gates td.verdict")
    assert verdicts.count() >= 3
    ends = [box["x"] + box["width"] for box in map(_box, verdicts.all())]
    assert max(ends) <= 390


def _box(cell: Any) -> Any:
    return cell.bounding_box()


def test_every_figure_is_named_for_a_screen_reader(page: Any) -> None:
    drawings = page.locator(".drawing")
    assert drawings.count() > 5
    assert page.get_by_role("img").count() >= drawings.count()
    unnamed = "[...document.querySelectorAll('.drawing')].filter(d => !d.ariaLabel).length"
    assert page.evaluate(unnamed) == 0


def test_text_is_legible_on_its_ground(page: Any) -> None:
    """Body text against the page at the contrast that WCAG AA asks for (4.5)."""
    ink, paper = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert _contrast(ink, paper) >= 4.5


def test_filters_by_origin_margin_and_text(page: Any) -> None:
    shown = page.locator(".pair:visible")
    assert shown.count() == 2
    page.select_option("select[name=origin]", "iteration:iter1")
    assert shown.count() == 1
    assert page.inner_text("output[name=count]") == "1 of 2 shown"
    page.fill("input[name=low]", "1.9")
    assert shown.count() == 0
    page.click("button[type=reset]")
    page.wait_for_function("document.querySelector('output').value.startsWith('2')")
    page.fill("input[name=text]", "GOOD ANSWER")
    assert shown.count() == 1


def test_hostile_text_is_shown_not_run(page: Any) -> None:
    text = page.locator(".pair").filter(has_text="alert(1)").locator(".response").nth(1)
    page.add_style_tag(content=".pair { content-visibility: visible !important }")
    assert text.inner_text() == EVIL.replace("\x07", "[U+0007]").replace("\u202e", "[U+202E]")
    assert page.locator("a[href^='javascript:']").count() == 0
    assert page.evaluate("document.scripts.length") == 1


def test_the_keyboard_reaches_the_filters(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.focus("select[name=origin]")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "flag"


def test_an_iteration_page_opens_from_the_index(page: Any) -> None:
    page.click("nav >> text=iter1")
    assert page.inner_text("h1") == "Iteration iter1"
    page.click("text=The whole build")
    assert page.inner_text("h1") == "Report of this build"


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(part) / 255 for part in colour.strip("rgb()").split(",")]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
