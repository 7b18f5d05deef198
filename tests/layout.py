"""Which test covers which module: by its name and place, else by the table in tests/README.md.

A module a/b/c.py is tested by tests/a/b/test_c.py, test_c_ASPECT.py or a file in tests/a/b/c/.
`python -m tests.layout` writes the table of the others anew: for each the nearest test that calls
it, or that calls what it serves.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONFTEST = ROOT / "tests/conftest.py"
README = ROOT / "tests/README.md"
OURS = ("curation.", "pipelines.", "training.", "tests.")
WALK = "tests/test_pipeline.py"  # DVC runs every stage of dvc.yaml in it
_PLAIN = re.compile(r"[\w.]+")
_ROW = re.compile(r"^\| `([\w/]+\.py)` \| `([\w/]+\.py)` \|", re.MULTILINE)
_HEAD = "| module | test | how |\n| --- | --- | --- |\n"


def modules() -> list[str]:
    """Every module of the packages that is more than a docstring."""
    tops = (ROOT / top for top in ("curation", "pipelines", "training"))
    found = sorted(path for top in tops for path in top.rglob("*.py"))
    return [_short(path) for path in found if len(ast.parse(path.read_bytes()).body) > 1]


def tests() -> list[str]:
    """Every test file but that of the layout itself."""
    found = sorted((ROOT / "tests").rglob("test_*.py"))
    return [_short(path) for path in found if path.name != "test_layout.py"]


def by_name(module: str) -> list[str]:
    """The tests that are named after a module and stand beside it."""
    path = Path(module)
    stem = path.parent if path.name == "__init__.py" else path.with_suffix("")
    beside = ROOT / "tests" / stem.parent
    found = [beside / f"test_{stem.name}.py", *beside.glob(f"test_{stem.name}_*.py")]
    inside = (ROOT / "tests" / stem).rglob("test_*.py")
    return [_short(test) for test in (*found, *inside) if test.is_file()]


def listed() -> dict[str, str]:
    """Module -> test, of the table."""
    return dict(_ROW.findall(README.read_text("utf-8")))


@cache
def reached(test: str) -> frozenset[str]:
    """Files that a test imports or starts, and what those import in turn."""
    return frozenset(_short(path) for path in _closure([ROOT / test, CONFTEST]))


def table() -> str:
    """A row for each module without a test of its name: module, test, and how it gets there."""
    every = tests()
    rows = []
    for module in modules():
        if by_name(module):
            continue
        fits = [test for test in every if module in reached(test)]
        if fits:
            test = max(fits, key=lambda test: _nearness(module, test))
            rows.append(f"| `{module}` | `{test}` | {_how(module, test)} |\n")
        else:
            rows.append(f"| `{module}` | none | |\n")
    return _HEAD + "".join(rows)


def _nearness(module: str, test: str) -> tuple[bool, int, bool, int]:
    parts = zip(test.split("/")[1:], module.split("/"), strict=False)
    near = sum(1 for one, other in parts if one == other)
    return (
        module in called(test),
        near,
        test.startswith(("tests/c", "tests/p")),
        -len(reached(test)),
    )


def _how(module: str, test: str) -> str:
    if module in called(test):
        return "called there"
    through = [name for name in called(test) if module in _after(name)]
    return f"through `{min(through, key=lambda name: (len(_after(name)), name))}`"


@cache
def called(test: str) -> frozenset[str]:
    """Modules that a test or its own helpers name."""
    helpers = _closure([ROOT / test, CONFTEST], "tests/")
    found = (_short(path) for helper in helpers for path in _named(helper))
    return frozenset(name for name in found if not name.startswith("tests/"))


@cache
def _after(module: str) -> frozenset[str]:
    return frozenset(_short(path) for path in _closure([ROOT / module]))


def _closure(start: Iterable[Path], only: str = "") -> set[Path]:
    seen: set[Path] = set()
    waiting = list(start)
    while waiting:
        path = waiting.pop()
        if path not in seen and _short(path).startswith(only):
            seen.add(path)
            waiting += _named(path)
    return seen


@cache
def _named(path: Path) -> tuple[Path, ...]:
    """Files of the project that a file imports, or names in a string: a module, a command."""
    tree = ast.parse(path.read_bytes())
    spoken = _short(path).startswith("tests/")
    names = [
        name for name in _names(tree, spoken) if name.startswith(OURS) and _PLAIN.fullmatch(name)
    ]
    stems = [ROOT.joinpath(*name.split(".")) for name in names]
    files = [file for stem in stems for file in (stem.with_suffix(".py"), stem / "__init__.py")]
    stages = (ROOT / "pipelines/stages").glob("*.py") if _short(path) == WALK else ()
    return tuple(file for file in (*files, *stages) if file.is_file())


def _names(tree: ast.Module, spoken: bool) -> Iterator[str]:
    """Dotted names; in a test also of the command or the stage that a word stands for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (item.name for item in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{item.name}" for item in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value.replace("/", ".")
            if spoken:
                yield f"pipelines.{node.value}"
                yield f"pipelines.commands.{node.value.replace('-', '_')}"


def _short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


if __name__ == "__main__":
    text = README.read_text("utf-8")
    README.write_text(text.partition(_HEAD)[0] + table(), "utf-8")
