"""The pages build as a strict site, and no page of it asks another host for anything."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

_ASKS = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"(?:https?:)?//"
    r"|<link\b[^>]*\brel=\"(?:stylesheet|preload|preconnect|icon)\"[^>]*\bhref=\"(?:https?:)?//"
    r"|<link\b[^>]*\bhref=\"(?:https?:)?//[^>]*\brel=\"(?:stylesheet|preload|preconnect|icon)\""
    r"|@import\s+(?:url\()?[\"']?(?:https?:)?//|url\([\"']?(?:https?:)?//"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("sphinx")
    made = tmp_path_factory.mktemp("site")
    flags = ["--fail-on-warning", "--nitpicky", "--quiet", "-b", "html"]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *flags, str(ROOT / "docs"), str(made)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return made


def test_every_page_is_reached_and_asks_nobody(site: Path) -> None:
    pages = list((ROOT / "docs").rglob("*.md"))
    assert all(
        (site / path.relative_to(ROOT / "docs")).with_suffix(".html").is_file() for path in pages
    )
    asking = [
        path.relative_to(site).as_posix()
        for path in site.rglob("*")
        if path.suffix in (".html", ".css") and _ASKS.search(path.read_text("utf-8"))
    ]
    assert asking == []


@pytest.mark.parametrize(
    "text",
    [
        '<script async src="https://cdn.example/x.js">',
        '<link rel="stylesheet" href="//fonts.example/a.css">',
        "@import url('https://fonts.example/a')",
        '<img alt="x" src="http://example/x.png">',
    ],
)
def test_what_would_ask_another_host_is_seen(text: str) -> None:
    assert _ASKS.search(text)
