"""The fenced blocks of README.md and docs/, with what the comment above each says of it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(
    r"(?:<!-- (?P<says>[^\n]+?) -->\n)?^```(?P<kind>\w+)[^\n]*\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """One fenced block: its page and line, its language, its text, the comment above it."""

    page: str
    line: int
    kind: str
    text: str
    says: str

    @property
    def at(self) -> str:
        """Where it stands, such as docs/tutorial.md:12."""
        return f"{self.page}:{self.line}"

    @property
    def not_run(self) -> bool:
        """Whether the page says that the block needs what a test has not, and what."""
        return self.says.startswith("not run: ")


def blocks(root: Path, kind: str) -> list[Block]:
    """Every block of this language, page by page; generated pages have none to run."""
    pages = [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").rglob("*.md"))]
    written = root / "docs/reference"
    return [
        block
        for page in pages
        if page.parent != written
        for block in _of(page, root)
        if block.kind == kind
    ]


def _of(page: Path, root: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start("kind")) + 1
        name = page.relative_to(root).as_posix()
        yield Block(name, line, found["kind"], found["text"], found["says"] or "")


def commands(block: Block) -> list[list[str]]:
    """The words of each command of a block: continued lines are one, comments are left out."""
    joined = block.text.replace("\\\n", " ")
    lines = (shlex.split(line, comments=True) for line in joined.splitlines())
    return [words for words in lines if words]
