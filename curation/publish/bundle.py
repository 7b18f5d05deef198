"""What is published: files by their place in the repository, and what was found in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from curation.publish.licences import Combined
from curation.publish.scan import Finding, scan_text

MANIFEST = "prefloop_publish.json"
"""In every published repository: the files that prefloop put there, with their hashes."""


@dataclass(frozen=True)
class Origin:
    """Where a build stands: its folder, the recipe, the lock, the commit of the code."""

    data: Path
    params_file: Path
    lock_file: Path
    params: Mapping[str, Any]
    commit: str | None = None
    dirty: bool = False

    def relative(self, path: Path) -> str:
        """A path as dvc.lock has it: relative to the folder of the lock."""
        return path.resolve().relative_to(self.lock_file.resolve().parent).as_posix()


@dataclass(frozen=True)
class Wish:
    """What a person asked for.

    Args:
        repo: ORG/NAME.
        url: address of the repository.
        licence: stated in place of the combined one.
        allow_unknown: publish although a licence is unknown.
    """

    repo: str
    url: str
    licence: str | None = None
    allow_unknown: bool = False


@dataclass(frozen=True)
class Bundle:
    """The files of one repository, in order, and what the scan found."""

    kind: Literal["dataset", "model"]
    licence: Combined
    files: dict[str, Path | bytes]
    findings: list[Finding] = field(default_factory=list)

    def hashes(self) -> dict[str, str]:
        """Place in the repository -> sha256 of the file."""
        return {target: sha256(content) for target, content in self.files.items()}


def sealed(bundle: Bundle) -> Bundle:
    """The bundle with its manifest."""
    text = json.dumps({"files": bundle.hashes()}, indent=1, sort_keys=True) + "\n"
    files = {**bundle.files, MANIFEST: text.encode()}
    return Bundle(bundle.kind, bundle.licence, files, bundle.findings)


def sha256(content: Path | bytes) -> str:
    """Hash of a file or of bytes."""
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def scan_texts(files: Mapping[str, Path | bytes], names: Iterable[str]) -> list[Finding]:
    """Scan the text files of these names."""
    found = []
    for name in names:
        content = files[name]
        raw = content if isinstance(content, bytes) else content.read_bytes()
        found.extend(scan_text(raw.decode("utf-8", "replace"), name))
    return found


def reason(licence: Combined, stated: bool) -> str:
    """Why the whole is under its licence, as a sentence of a card."""
    if stated:
        return "stated by the publisher."
    if licence.id == "unknown":
        return "no source states a known licence."
    if licence.id == "other":
        return f"the terms of {licence.name} hold together; none stands for the others."
    return "what all of them together allow."
