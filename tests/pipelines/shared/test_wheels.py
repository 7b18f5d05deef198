"""Wheels that hold models: fetched once, held to their hash, told in one line where that fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from curation.core.errors import UserError
from pipelines.core.params.model_uri import Wheel
from pipelines.shared import wheels
from tests.pipelines.shared.package_index import Index, sha, use, wheel

ASKED = Wheel("made", "1.0", "made/model.gguf")
FILE = "made-1.0-py3-none-any.whl"
CONTENT = wheel("made", "1.0", {"made/model.gguf": b"GGUF", "made/__init__.py": b"1/0"})


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    made = Index()
    made.files[FILE] = CONTENT
    use(monkeypatch, made.url, tmp_path / "cache")
    yield made
    made.close()


def refused(call: object, *said: str) -> None:
    with pytest.raises(UserError, match=r"^[^\n]+$") as told:
        call()  # type: ignore[operator]
    for part in said:
        assert part in str(told.value)
    assert "secret" not in str(told.value)


def test_a_wheel_is_fetched_once_and_read_from_the_cache_after(index: Index) -> None:
    assert wheels.look_up(ASKED, "base.uri") == sha(CONTENT)
    path = wheels.pinned(ASKED, sha(CONTENT), "base.uri")
    assert path.read_bytes() == CONTENT
    assert index.fetched == [FILE]
    index.close()
    assert wheels.pinned(ASKED, sha(CONTENT), "base.uri") == path
    kept = [one.name for one in wheels.cache().rglob("*") if one.is_file()]
    assert kept == [FILE]


def test_another_hash_than_the_pinned_one_is_refused_and_not_kept(index: Index) -> None:
    refused(
        lambda: wheels.pinned(ASKED, "0" * 64, "base.uri"),
        "base.uri: made==1.0: the index gives made-1.0-py3-none-any.whl with sha256 "
        f"{sha(CONTENT)}, but sha256 {'0' * 64} is pinned",
        "prefloop pin base.uri",
    )
    assert not [one for one in wheels.cache().rglob("*") if one.is_file()]


def test_a_wheel_that_the_disk_has_torn_is_fetched_anew(index: Index) -> None:
    path = wheels.pinned(ASKED, sha(CONTENT), "base.uri")
    path.write_bytes(CONTENT[:-9])
    assert wheels.pinned(ASKED, sha(CONTENT), "base.uri").read_bytes() == CONTENT
    assert index.fetched == [FILE, FILE]


def test_a_version_that_is_not_there_names_those_that_are(index: Index) -> None:
    asked = Wheel("made", "2.0", "made/model.gguf")
    refused(lambda: wheels.look_up(asked, "base.uri"), "base.uri: made==2.0", "it has 1.0")
    none = Wheel("gone", "2.0", "model.gguf")
    refused(lambda: wheels.look_up(none, "base.uri"), "the package index has no such wheel")


def test_an_index_that_does_not_answer_is_one_line(index: Index) -> None:
    index.close()
    refused(
        lambda: wheels.look_up(ASKED, "base.uri"),
        "base.uri: made==1.0: the package index does not answer; check pip's index-url",
    )


def test_a_source_package_is_never_built(index: Index) -> None:
    index.files = {"made-1.0.tar.gz": b"not built"}
    refused(lambda: wheels.look_up(ASKED, "base.uri"), "the package index has no such wheel")
    assert index.fetched == []
