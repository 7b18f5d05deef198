"""A module's hash is over all that it can reach, and a way that can't be followed is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.core import code
from pipelines.core.code import Code

FILES = {
    "pipelines/__init__.py": '"""Bare: no code."""\n',
    "pipelines/a.py": "def f():\n    from curation import b\n",
    "pipelines/named.py": 'import importlib\nimportlib.import_module("curation.c")\n',
    "curation/__init__.py": '"""Not bare."""\nONE = 1\n',
    "curation/b.py": "from . import c\nimport os\n",
    "curation/c.py": "",
    "curation/unused.py": "",
    "curation/sql/__init__.py": "",
    "curation/sql/read.py": 'from importlib.resources import files\nT = files("curation.sql")\n',
    "curation/sql/one.sql": "select 1",
    "curation/sql/checks/any/two.sql": "select 2",
    "curation/sql/checks/other/three.sql": "select 3",
    "curation/sql/inner/__init__.py": "",
    "curation/sql/inner/page.html": "of another package",
    "curation/sql/__pycache__/read.cpython-311.pyc": "compiled",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_imports_are_followed_through_packages_and_functions(root: Path) -> None:
    wanted = ["curation/__init__.py", "curation/b.py", "curation/c.py", "pipelines/a.py"]
    assert Code(root).files("pipelines.a") == wanted


def test_a_module_named_by_a_string_is_followed(root: Path) -> None:
    wanted = ["curation/__init__.py", "curation/c.py", "pipelines/named.py"]
    assert Code(root).files("pipelines.named") == wanted


def test_data_files_of_a_package_named_by_a_string_are_code(root: Path) -> None:
    (root / "pipelines/a.py").write_text("import curation.sql.read\n")
    shared = ["curation/__init__.py", "curation/sql/checks/any/two.sql"]
    ends = ["curation/sql/read.py", "pipelines/a.py"]
    other = ["curation/sql/checks/other/three.sql", "curation/sql/one.sql"]
    assert Code(root).files("pipelines.a") == [*shared, *other, *ends]
    only = {"curation.sql": ["checks/any"]}
    assert Code(root).files("pipelines.a", only) == [*shared, *ends]
    with pytest.raises(ValueError, match="checks/gone: no file in it"):
        Code(root).files("pipelines.a", {"curation.sql": ["checks/gone"]})


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("curation/c.py", True),
        ("curation/__init__.py", True),
        ("curation/unused.py", False),
        ("curation/sql/one.sql", False),
        ("pipelines/__init__.py", False),
    ],
)
def test_the_hash_changes_with_what_is_reached_alone(
    root: Path, file: str, *, changes: bool
) -> None:
    before = Code(root).sha("pipelines.a")
    (root / file).write_text(f"{FILES[file]}'''more'''\n")
    assert (Code(root).sha("pipelines.a") != before) is changes


def test_the_hash_changes_with_a_file_s_name(root: Path) -> None:
    before = Code(root).sha("curation.sql.read")
    (root / "curation/sql/one.sql").rename(root / "curation/sql/uno.sql")
    assert Code(root).sha("curation.sql.read") != before


@pytest.mark.parametrize("name", ["pipelines.missing", "missing", "pipelines.a.f", "os"])
def test_a_module_that_does_not_exist_is_an_error(root: Path, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: no module of this project"):
        Code(root).sha(name)


@pytest.mark.parametrize("hidden", ["Path(__file__).parent", "files(__package__)"])
def test_a_file_found_in_an_unseen_way_is_an_error(root: Path, hidden: str) -> None:
    (root / "curation/c.py").write_text(f"ONE = {hidden}\n")
    with pytest.raises(ValueError, match=r"curation/c\.py:1: __\w+__: .*importlib\.resources"):
        Code(root).sha("pipelines.a")


def test_unfinished_work_is_told_apart_by_model_libraries_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = code.sha("pipelines.stages.generate")
    monkeypatch.setattr(code, "_versions", lambda: "torch 99")
    assert code.sha("pipelines.stages.generate") != before
