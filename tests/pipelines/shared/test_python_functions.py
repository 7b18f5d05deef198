"""Functions are found by parsing: nothing of a user's file runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.shared import python_functions

TEXT = """
raise SystemExit("run")
try:
    from somewhere import borrowed
except ImportError:
    def spare(prompt, response): ...
made = lambda prompt, response: 0.0
def reward(prompt, response, scale=1.0): ...
def narrow(prompt): ...
def keyed(prompt, response, *, key): ...
def wide(*texts): ...
"""


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("reward", 2, None),
        ("reward", 3, None),
        ("wide", 3, None),
        ("spare", 2, None),
        ("borrowed", 2, None),
        ("made", 2, None),
        ("rewardd", 2, "has no function rewardd; did you mean reward?"),
        ("narrow", 2, "narrow of {} cannot be called with (prompt, response)"),
        ("keyed", 2, "keyed of {} cannot be called with (prompt, response)"),
        ("reward", 4, "cannot be called"),
    ],
)
def test_a_function_is_found_by_name_and_arguments(
    tmp_path: Path, name: str, arguments: int, says: str | None
) -> None:
    path = tmp_path / "rewards.py"
    path.write_text(TEXT, "utf-8")
    found = python_functions.problem(path, name, arguments)
    assert found is None if says is None else says.format(path) in str(found)


def test_what_is_no_python_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def (", "utf-8")
    assert "is not Python" in str(python_functions.problem(tmp_path / "a.py", "f", 2))
    assert "no file" in str(python_functions.problem(tmp_path / "b.py", "f", 2))


def test_a_dotted_module_is_found_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/__init__.py").write_text("raise SystemExit", "utf-8")
    (tmp_path / "mine/judge.py").write_text("raise SystemExit", "utf-8")
    monkeypatch.chdir(tmp_path)
    assert python_functions.file_of("mine.judge") == tmp_path / "mine/judge.py"
    assert python_functions.file_of("mine.jugde") is None
