"""Models of the Hub: what a revision stands for, and files at a commit in the client's cache."""

from __future__ import annotations

from pathlib import Path

from curation.core.errors import UserError
from pipelines.core.params.model_uri import Hub
from pipelines.shared.source_files import client, reason


def commit_of(place: Hub, revision: str | None, key: str) -> str:
    """The commit that a revision of a repository stands for now.

    Raises:
        UserError: the Hub refuses, or knows no such repository or revision.
    """
    try:
        found = client().HfApi().model_info(place.repo, revision=revision).sha
    except Exception as error:  # the hub's client raises many kinds; each is bad input here
        raise UserError(f"{key}: {place.repo}@{revision or 'main'}: {reason(error)}") from error
    if found is None:
        raise UserError(f"{key}: {place.repo}@{revision or 'main'}: the hub names no commit")
    return str(found)


def file(place: Hub, revision: str | None, key: str) -> Path:
    """The one file that a place names, in the cache of the Hub's client.

    Raises:
        UserError: the Hub refuses, or has no such file.
    """
    try:
        return Path(client().hf_hub_download(place.repo, place.file, revision=revision))
    except Exception as error:
        raise UserError(f"{key}: {place.repo}/{place.file}: {reason(error)}") from error
