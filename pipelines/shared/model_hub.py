"""Models of the Hub: what a revision stands for, and files at a commit in the client's cache."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from pipelines.core.params.model_uri import Hub
from pipelines.shared.source_files import client, reason

_INDEX = "model.safetensors.index.json"
_WEIGHTS = ("model.safetensors", "reward_head.safetensors")  # the last of a mean over the response
_SMALL = (".json", ".jinja", ".model", ".txt")  # configuration, tokenizer, template


def commit_of(place: Hub, revision: str | None, key: str) -> str:
    """The commit that a revision of a repository stands for now.

    Raises:
        UserError: the Hub refuses, or knows no such repository or revision.
    """
    found = _info(place, revision, key).sha
    if found is None:
        raise UserError(f"{key}: {place.repo}@{revision or 'main'}: the hub names no commit")
    return str(found)


def snapshot(place: Hub, revision: str | None, key: str) -> dict[str, Path]:
    """Name -> file, in the client's cache, of what a model is loaded from.

    Raises:
        UserError: the Hub refuses, or the repository has no safetensors weights.
    """
    if place.file is not None:
        raise UserError(f"{key}: {place.file}: a GGUF file holds no judge; name the repository")
    info = _info(place, revision, key)
    names = wanted([one.rfilename for one in info.siblings or []])
    commit = str(info.sha)
    found = {name: file(Hub(place.repo, name), commit, key) for name in names if name != _INDEX}
    if _INDEX in names:
        found[_INDEX] = file(Hub(place.repo, _INDEX), commit, key)
        told = json.loads(found[_INDEX].read_text("utf-8"))
        for name in sorted(set(told["weight_map"].values()) - set(found)):
            found[name] = file(Hub(place.repo, name), commit, key)
    elif "model.safetensors" not in found:
        raise UserError(f"{key}: {place.repo} has no model.safetensors; no other weights are read")
    return found


def wanted(names: Sequence[str]) -> list[str]:
    """Of a folder's files those that a model is loaded from, but for the parts of its weights."""
    return sorted(
        name for name in names if "/" not in name and (name.endswith(_SMALL) or name in _WEIGHTS)
    )


def file(place: Hub, revision: str | None, key: str) -> Path:
    """The one file that a place names, in the cache of the Hub's client.

    Raises:
        UserError: the Hub refuses, or has no such file.
    """
    try:
        return Path(client().hf_hub_download(place.repo, place.file, revision=revision))
    except Exception as error:  # the hub's client raises many kinds; each is bad input here
        raise UserError(f"{key}: {place.repo}/{place.file}: {reason(error)}") from error


def _info(place: Hub, revision: str | None, key: str) -> Any:
    try:
        return client().HfApi().model_info(place.repo, revision=revision)
    except Exception as error:
        raise UserError(f"{key}: {place.repo}@{revision or 'main'}: {reason(error)}") from error
