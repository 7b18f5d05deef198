"""Where a source's published files are: local paths and globs, or hf://DATASET@REVISION/PATH."""

from __future__ import annotations

import glob
import hashlib
import logging
import re
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from curation.core.errors import UserError
from pipelines.core.io import read_json
from pipelines.core.params import Params
from pipelines.core.params.data import Source

_HUB = re.compile(r"^hf://(?P<repo>[^/@]+/[^/@]+)(@(?P<revision>[^/]+))?/(?P<path>.+)$")
_COMMIT = re.compile(r"^[0-9a-f]{40}$")


@dataclass(frozen=True)
class Files:
    """The local files of a source and what the manifest says of where they came from."""

    paths: list[Path]
    manifest: dict[str, Any]


def configured(params: Params, name: str, path: Path) -> Source:
    """The source of this name in params.yaml.

    Raises:
        UserError: there is none.
    """
    if name not in params.sources:
        have = ", ".join(sorted(params.sources))
        raise UserError(f"{path}: sources: none is named {name}; sources: {have}")
    return params.sources[name]


def resolve(source: Source, key: str) -> Files:
    """Find (and from a hub: download) the files of a source and check its pinned revision.

    Raises:
        UserError: nothing is there, or the revision has moved.
    """
    if source.uri is not None:
        return _from_hub(source, source.uri, key)
    return _local(source, key)


def local(path: str, key: str) -> list[Path]:
    """The files of a path, a pattern, or a folder that `save_to_disk` wrote.

    Raises:
        UserError: nothing is there.
    """
    if any(sign in path for sign in "*?["):
        paths = [Path(found) for found in sorted(glob.glob(path, recursive=True))]
    elif Path(path).is_dir():
        paths = _saved(Path(path), key)
    else:
        paths = [Path(path)]
    if not paths or not all(one.is_file() for one in paths):
        raise UserError(f"{path}: no such file; correct {key}")
    return paths


def downloaded(uri: str) -> list[Path]:
    """Files of a dataset on the Hub, at its revision or the head of its main branch.

    Raises:
        UserError: not of the form hf://OWNER/NAME[@REVISION]/PATH, or the hub refuses.
    """
    match = _HUB.match(uri)
    if match is None:
        raise UserError(f"{uri}: not of the form hf://OWNER/NAME@REVISION/PATH")
    revision = unquote(match["revision"] or "main")
    commit, listed = _look_up(match["repo"], revision, uri)
    files = sorted(file for file in listed if fnmatch(file, match["path"]))
    if not files:
        raise UserError(f"{uri}: {match['repo']} at {commit} has no such file")
    return [_download(match["repo"], file, commit, uri) for file in files]


def _local(source: Source, key: str) -> Files:
    """Local files; ``revision: sha256:HEX`` pins the content of a single file."""
    paths = local(source.path, f"{key}.path")
    described = [_described(path, path.as_posix()) for path in paths]
    pinned = source.revision
    if pinned is not None and [f"sha256:{one['sha256']}" for one in described] != [pinned]:
        raise UserError(
            f"{source.path}: {key}.revision pins {pinned}, but the file is "
            f"sha256:{described[0]['sha256']}"
        )
    manifest = {"uri": source.path, "revision": pinned, "commit": None, "files": described}
    return Files(paths, manifest)


def _saved(folder: Path, key: str) -> list[Path]:
    """The Arrow files of a data set that `save_to_disk` wrote, in its order.

    Raises:
        UserError: the folder is none, or holds several splits.
    """
    if (folder / "dataset_dict.json").is_file():
        splits = ", ".join(map(str, read_json(folder / "dataset_dict.json").get("splits", [])))
        raise UserError(f"{folder}: holds the splits {splits}; name one in {key}: {folder}/SPLIT")
    if not (folder / "state.json").is_file():
        raise UserError(f"{folder}: is a folder; name its files in {key}, as {folder}/*.parquet")
    named = read_json(folder / "state.json").get("_data_files", [])
    return [folder / str(one["filename"]) for one in named]


def _from_hub(source: Source, uri: str, key: str) -> Files:
    """Files of a dataset repository, at a commit that must be the pinned one.

    ``revision`` is a commit, or a branch or tag; ``NAME@COMMIT`` says what the name must still
    stand for, and so does the file of pins at ``path`` (a JSON object of source: commit).
    """
    repo, wanted, inside = _asked(source, uri, key)
    name, _, expected = wanted.partition("@")
    commit, listed = _look_up(repo, name, key)
    pinned = [expected, name if _COMMIT.match(name) else "", _pin(Path(source.path), key)]
    for pin in pinned:
        if pin not in ("", commit):
            raise UserError(
                f"{key}.revision: {name} of {repo} is pinned to {pin}, but has moved to {commit}; "
                f"look at what changed, then pin it anew: prefloop pin {key.partition('.')[2]}"
            )
    files = sorted(file for file in listed if fnmatch(file, inside))
    if not files:
        raise UserError(f"{key}.uri: {repo} at {commit} has no file {inside}")
    paths = [_download(repo, file, commit, key) for file in files]
    described = [_described(path, file) for path, file in zip(paths, files, strict=True)]
    return Files(paths, {"uri": uri, "revision": wanted, "commit": commit, "files": described})


def commit_of(source: Source, key: str) -> str:
    """The commit that a hub source's revision stands for now.

    Raises:
        UserError: the hub refuses or knows no such set or revision.
    """
    repo, wanted, _ = _asked(source, str(source.uri), key)
    return _look_up(repo, wanted.partition("@")[0], key)[0]


def _asked(source: Source, uri: str, key: str) -> tuple[str, str, str]:
    """Repository, revision and path (a pattern) of a hub source."""
    match = _HUB.match(uri)
    if match is None:
        raise UserError(f"{key}.uri: {uri}: not of the form hf://OWNER/NAME@REVISION/PATH")
    wanted = source.revision or (match["revision"] and unquote(match["revision"]))
    if wanted is None:
        raise UserError(f"{key}.revision: pin a commit, a tag or a branch of {match['repo']}")
    return match["repo"], wanted, match["path"]


def _pin(path: Path, key: str) -> str:
    """The commit that the file of pins holds for this source; empty when it holds none."""
    return str(read_json(path).get(key.removeprefix("sources."), ""))


def _look_up(repo: str, revision: str, key: str) -> tuple[str, list[str]]:
    """The commit a revision stands for, and the repository's files at it."""
    try:
        info = client().HfApi().dataset_info(repo, revision=revision)
    except Exception as error:  # the hub's client raises many kinds; each is bad input here
        raise UserError(f"{key}.uri: {repo}@{revision}: {reason(error)}") from error
    if info.sha is None:
        raise UserError(f"{key}.uri: {repo}@{revision}: the hub names no commit")
    return info.sha, [file.rfilename for file in info.siblings or []]


def _download(repo: str, file: str, commit: str, key: str) -> Path:
    try:
        return Path(client().hf_hub_download(repo, file, repo_type="dataset", revision=commit))
    except Exception as error:
        raise UserError(f"{key}.uri: {repo}/{file}: {reason(error)}") from error


def client() -> Any:
    """The hub's client; it logs each try to resume a download, the error says it once."""
    import huggingface_hub

    huggingface_hub.logging.set_verbosity(logging.CRITICAL)
    return huggingface_hub


def reason(error: Exception) -> str:
    """One line of what went wrong and, where it is known, how to mend it."""
    from huggingface_hub import errors

    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, errors.RevisionNotFoundError):
        return "the repository has no such revision"
    if isinstance(error, errors.GatedRepoError) or status in (401, 403):
        return f"access refused ({status}); accept its terms and set HF_TOKEN"
    if isinstance(error, errors.RepositoryNotFoundError):
        return "no such repository, or a private one; check its name, or set HF_TOKEN"
    text = str(error).strip()
    return f"{text.splitlines()[0] if text else type(error).__name__}; try again"


def _described(path: Path, name: str) -> dict[str, Any]:
    with path.open("rb") as handle:
        sha = hashlib.file_digest(handle, "sha256").hexdigest()
    return {"path": name, "sha256": sha, "bytes": path.stat().st_size}
