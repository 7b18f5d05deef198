"""The file of pins: what a model's uri stood for when somebody looked, a commit or a hash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from pipelines.core.io import read_json
from pipelines.core.params.model_uri import Hub, Wheel, is_commit, is_pin, parse

PINS = Path("recipes/pins.json")


def pin(uri: str | None, revision: str | None, file: Path = PINS) -> str | None:
    """The commit of a repository or the hash of a wheel; None for a path, or for no uri.

    Raises:
        UserError: the file of pins holds something else for it.
    """
    place = parse(uri) if uri is not None else None
    if not isinstance(place, Hub | Wheel):
        return None
    return _held(place, revision, file)


def sha(place: Wheel, key: str, file: Path = PINS) -> str:
    """Hex digits of the hash that a wheel must have.

    Raises:
        UserError: none is pinned.
    """
    found = _held(place, None, file)
    if found is None:
        raise UserError(
            f"{key}: {place.requirement} is not pinned in {file}; prefloop pin {key} "
            "--params RECIPE fetches it and writes down its hash"
        )
    return found.removeprefix("sha256:")


def commit(place: Hub, revision: str | None, file: Path = PINS) -> str | None:
    """The revision to fetch: the pinned commit, or what the recipe says where none is pinned."""
    if revision is not None and is_commit(revision):
        return revision
    return _held(place, revision, file) or revision


def _held(place: Hub | Wheel, revision: str | None, file: Path) -> str | None:
    held: dict[str, Any] = read_json(file) if file.is_file() else {}
    name = place.key(revision)
    found = held.get(name)
    if found is not None and not is_pin(place, found):
        kind = "sha256:HEX" if isinstance(place, Wheel) else "a commit"
        raise UserError(f"{file}: {name}: {found} is not {kind}; run prefloop pin again")
    return found
