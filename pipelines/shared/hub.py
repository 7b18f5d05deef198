"""One repository of the Hub: what is there, what would change, and the one commit that changes it.

huggingface_hub does the HTTP. The token is its own affair (HF_TOKEN or its store): nothing here
reads it but to see that there is one.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from curation.publish.bundle import MANIFEST, Bundle, sha256

_MANAGED = ("README.md", "data/", "croissant.json", "config.json")


@dataclass(frozen=True)
class Remote:
    """A repository as it is: its head, the hash of every file, its tags, what we put there."""

    head: str | None = None
    private: bool = False
    files: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    ours: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Plan:
    """What a publication would do: files to add, files of an earlier one to delete."""

    add: list[str]
    delete: list[str]
    same: int

    @property
    def empty(self) -> bool:
        """Whether the repository is already as it should be."""
        return not self.add and not self.delete


@dataclass(frozen=True)
class Done:
    """What was published: the commit, and the address of the pull request if there is one."""

    commit: str
    pull_request: str | None = None


def address(repo: str, kind: str) -> str:
    """The repository's address."""
    from huggingface_hub import constants

    return f"{constants.ENDPOINT}/{'datasets/' if kind == 'dataset' else ''}{repo}"


def check_name(repo: str) -> None:
    """Check ORG/NAME.

    Raises:
        UserError: it is not a repository's name.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise UserError(f"--repo {repo}: not a repository's name: {_first(error)}") from error
    if "/" not in repo:
        raise UserError(f"--repo {repo}: write it as ORG/NAME")


def look(repo: str, kind: str) -> Remote:
    """Read the repository; one that does not exist (or cannot be seen) has no head.

    Raises:
        UserError: the Hub does not answer.
    """
    from huggingface_hub import HfApi, RepoFile
    from huggingface_hub.errors import RepositoryNotFoundError

    api = HfApi()
    with one_line(repo, "nothing was published"):
        try:
            info = api.repo_info(repo, repo_type=kind)
        except RepositoryNotFoundError:
            return Remote()
        tree = api.list_repo_tree(repo, recursive=True, revision=info.sha, repo_type=kind)
        files = {
            one.path: one.lfs.sha256 if one.lfs else one.blob_id
            for one in tree
            if isinstance(one, RepoFile)
        }
        refs = api.list_repo_refs(repo, repo_type=kind)
        tags = {tag.name: tag.target_commit for tag in refs.tags}
        ours = _ours(api, repo, kind, str(info.sha)) if MANIFEST in files else frozenset()
    return Remote(info.sha, bool(info.private), files, tags, ours)


def compare(bundle: Bundle, remote: Remote) -> Plan:
    """What differs between a bundle and the repository, by hash."""
    add = [
        target
        for target, content in bundle.files.items()
        if remote.files.get(target) not in (sha256(content), _blob(content))
    ]
    stale = (remote.ours & set(remote.files)) - set(bundle.files)
    return Plan(add, sorted(stale), len(bundle.files) - len(add))


def foreign(remote: Remote) -> list[str]:
    """Files of a kind we write, in a repository that we have not written."""
    if MANIFEST in remote.files:
        return []
    return sorted(name for name in remote.files if name.startswith(_MANAGED))


def has_token() -> bool:
    """Whether huggingface_hub finds a token."""
    from huggingface_hub import get_token

    return get_token() is not None


def commit(
    repo: str, bundle: Bundle, plan: Plan, remote: Remote, *, private: bool, pull_request: bool
) -> Done:
    """Make the repository as planned, in one commit upon the head that was read.

    Raises:
        UserError: the head has moved, the Hub refuses, or the connection was lost; nothing of the
            bundle is then visible.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    api, head = HfApi(), remote.head
    with one_line(repo, "nothing was published; run it again"):
        if head is None:
            api.create_repo(repo, repo_type=bundle.kind, private=private, exist_ok=False)
            head = api.repo_info(repo, repo_type=bundle.kind).sha
    with one_line(
        repo, "nothing was published; run it again", lambda: _standing(repo, bundle.kind, head)
    ):
        adds = [
            CommitOperationAdd(path_in_repo=target, path_or_fileobj=_source(bundle.files[target]))
            for target in plan.add
        ]
        deletes = [CommitOperationDelete(path_in_repo=target) for target in plan.delete]
        made = api.create_commit(
            repo,
            operations=[*adds, *deletes],
            commit_message=_message(bundle, plan),
            repo_type=bundle.kind,
            parent_commit=head,
            create_pr=pull_request,
        )
    return Done(str(made.oid), made.pr_url)


def tag(repo: str, kind: str, name: str, at: str) -> None:
    """Tag a commit.

    Raises:
        UserError: the Hub refuses, or the connection was lost.
    """
    from huggingface_hub import HfApi

    with one_line(repo, f"the files are published, the tag {name} is not; run it again"):
        HfApi().create_tag(repo, tag=name, revision=at, repo_type=kind)


@contextmanager
def one_line(repo: str, outcome: str, standing: Callable[[], str] | None = None) -> Iterator[None]:
    """Turn what huggingface_hub raises into one line: what happened, and how it stands now.

    Args:
        repo: ORG/NAME.
        outcome: how it stands after a refusal.
        standing: finds out how it stands after a lost connection, where that is not certain.
    """
    from httpx2 import HTTPError  # the client that huggingface_hub 2 speaks with
    from huggingface_hub.errors import (
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
    )

    try:
        yield
    except OfflineModeIsEnabled as error:
        raise UserError(f"{repo}: HF_HUB_OFFLINE is set; unset it to publish") from error
    except HfHubHTTPError as error:
        raise UserError(f"{repo}: {_refusal(error)}; {outcome}") from error
    except (HTTPError, ConnectionError, RuntimeError, LocalEntryNotFoundError) as error:
        cause = error.__cause__ or error
        now = standing() if standing else outcome
        raise UserError(f"{repo}: connection lost ({_first(cause)}); {now}") from error
    except ValueError as error:
        raise UserError(f"{repo}: the Hub refuses it ({_first(error)}); {outcome}") from error


def _standing(repo: str, kind: str, head: str | None) -> str:
    """Whether a commit whose answer was lost has been taken."""
    try:
        now = look(repo, kind).head
    except UserError:
        return "the Hub does not say whether it took the commit; run it again, it finds out"
    if now == head:
        return "nothing was published; run it again, it sends only what is missing"
    return "main has moved, so the Hub may have taken the commit; run it again, it finds out"


def _refusal(error: Any) -> str:
    status = error.response.status_code if error.response is not None else 0
    if status == 412:
        return "someone else has committed since it was read"
    if status in (401, 403):
        return f"not permitted ({status}): the token needs write access to it"
    if status == 409:
        return (
            "exists already, and this token cannot see it"
            if not error.server_message
            else (_first(error.server_message))
        )
    return f"the Hub answers {status} ({_first(error.server_message or error)})"


def _ours(api: Any, repo: str, kind: str, head: str) -> frozenset[str]:
    """The files that the manifest in the repository names."""
    with tempfile.TemporaryDirectory() as folder:
        file = api.hf_hub_download(repo, MANIFEST, repo_type=kind, revision=head, local_dir=folder)
        try:
            return frozenset(json.loads(Path(file).read_text("utf-8"))["files"])
        except (ValueError, KeyError, TypeError):
            return frozenset()  # not as we wrote it: then nothing is ours to delete


def _blob(content: Path | bytes) -> str:
    """Git's hash of a file, which the Hub gives for files that are not in LFS."""
    from huggingface_hub.utils.sha import git_hash

    limit = 20_000_000  # larger ones are always in LFS
    if isinstance(content, bytes):
        return str(git_hash(content))
    return "" if content.stat().st_size > limit else str(git_hash(content.read_bytes()))


def _source(content: Path | bytes) -> str | bytes:
    return content if isinstance(content, bytes) else str(content)


def _message(bundle: Bundle, plan: Plan) -> str:
    what = "data set" if bundle.kind == "dataset" else "checkpoint"
    gone = f", {len(plan.delete)} deleted" if plan.delete else ""
    return f"Publish the {what}: {len(plan.add)} files added or changed{gone}"


def _first(error: object) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
