"""The files of a model wherever a recipe says it is: in a wheel, on the Hub, or here."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from curation.core.errors import UserError
from pipelines.shared import model_files, model_pins
from tests.pipelines.shared.package_index import Index, sha, use, wheel


def zipped(**files: str) -> bytes:
    made = io.BytesIO()
    with ZipFile(made, "w") as held:
        for name, text in files.items():
            held.writestr(name, text)
    return made.getvalue()


FILES = {
    "made/model.gguf": b"GGUF",
    "made/one.zip": zipped(**{"top/config.json": "{}"}),
    "made/two.zip": zipped(**{"a/config.json": "{}", "b/config.json": "{}"}),
    "made/none.zip": zipped(readme="nothing"),
    "made/folder/config.json": b"{}",
    "made/notes.txt": b"",
}
CONTENT = wheel("made", "1.0", FILES)


@pytest.fixture(autouse=True)
def _in_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    pins = tmp_path / model_pins.PINS
    pins.parent.mkdir()
    pins.write_text(json.dumps({"pip:made==1.0": f"sha256:{sha(CONTENT)}"}))
    index = Index()
    index.files["made-1.0-py3-none-any.whl"] = CONTENT
    use(monkeypatch, index.url, tmp_path / "cache")
    yield
    index.close()


def refused(uri: str, *said: str) -> None:
    with (
        pytest.raises(UserError, match=r"^[^\n]+$") as told,
        model_files.located(uri, None, "base.uri"),
    ):
        pass
    for part in said:
        assert part in str(told.value)


def test_a_file_of_a_wheel_is_there_while_it_is_read() -> None:
    with model_files.located("pip:made==1.0/made/model.gguf", None, "base.uri") as found:
        assert found.file.read_bytes() == b"GGUF"
        assert found.facts == {"wheel_sha256": sha(CONTENT)}
    assert not found.file.exists()


@pytest.mark.parametrize("inside", ["made/folder", "made/one.zip"])
def test_a_folder_of_a_wheel_may_be_zipped(inside: str) -> None:
    with model_files.located(f"pip:made==1.0/{inside}", None, "base.uri") as found:
        assert found.gguf is None
        assert (Path(found.place) / "config.json").read_text() == "{}"


def test_what_a_wheel_lacks_is_told() -> None:
    refused("pip:made==1.0/made/model.guf", "has no made/model.guf; did you mean made/model.gguf?")
    refused("pip:made==1.0/made/two.zip", "two.zip holds 2 models")
    refused("pip:made==1.0/made/none.zip", "none.zip holds no model's folder")
    refused("pip:made==1.0/made/notes.txt", "neither a .gguf, a .zip nor a folder")
    refused(
        "pip:made==2.0/made/model.gguf",
        "made==2.0 is not pinned",
        "prefloop pin base.uri --params RECIPE fetches it",
    )
    Path(model_pins.PINS).write_text('{"pip:made==1.0": "main"}')
    refused("pip:made==1.0/made/model.gguf", "main is not sha256:HEX")


def test_a_path_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGUF")
    with model_files.located("x.gguf", None, "base.uri") as found:
        assert (found.place, found.gguf) == (".", "x.gguf")
    with model_files.located(str(tmp_path), None, "base.uri") as found:
        assert (found.place, found.gguf) == (str(tmp_path), None)
    refused("nowhere", "no file or folder nowhere; write hf://OWNER/NAME")


def test_a_repository_is_fetched_at_its_pinned_commit() -> None:
    commit = "a" * 40
    Path(model_pins.PINS).write_text(json.dumps({"hf://org/model@main": commit}))
    with model_files.located("hf://org/model", None, "base.uri") as found:
        assert (found.place, found.revision) == ("org/model", commit)
    with model_files.located("hf://org/model", "v2", "base.uri") as found:
        assert found.revision == "v2"
