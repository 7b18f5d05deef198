"""Commands are found by the heads of their files, and a head that says too little is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.shared import command_list


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(command_list, "FOLDER", tmp_path)
    return tmp_path


def test_a_new_file_is_a_command(folder: Path) -> None:
    (folder / "two_words.py").write_text(
        '"""prefloop two-words: say two words.\n\nMore.\n"""\nTASK = "build"\n'
    )
    (found,) = command_list.listed()
    assert found == command_list.find("two-words")
    assert (found.name, found.module) == ("two-words", "pipelines.commands.two_words")
    assert (found.sentence, found.task) == ("say two words", "build")
    assert command_list.find("other") is None


def test_a_name_that_python_keeps_for_itself_is_found_by_its_head(folder: Path) -> None:
    (folder / "import_rows.py").write_text('"""prefloop import: bring rows."""\nTASK = "build"\n')
    found = command_list.find("import")
    assert found is not None
    assert found.module == "pipelines.commands.import_rows"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"""Does a thing."""\nTASK = "build"\n', "must open with"),
        ('"""prefloop odd: no dot"""\nTASK = "build"\n', "must open with"),
        ('"""prefloop odd: no task."""\n', "needs TASK"),
        ('"""prefloop odd: a task of its own."""\nTASK = "cook"\n', "needs TASK"),
    ],
)
def test_a_head_that_says_too_little_names_the_file(folder: Path, text: str, said: str) -> None:
    (folder / "odd.py").write_text(text)
    with pytest.raises(ValueError, match=f"odd.py: .*{said}"):
        command_list.find("odd")


def test_every_command_of_the_project_is_named_after_its_file() -> None:
    found = {one.name: one.module.rpartition(".")[2] for one in command_list.listed()}
    odd = {name for name, stem in found.items() if stem != name.replace("-", "_")}
    assert odd == {"import"}
    assert len(found) == len(list(command_list.FOLDER.glob("*.py"))) - 1
