"""Where a model is, as a recipe says it: a repository of the Hub, a file of a wheel, or a path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

FORMS = "hf://OWNER/NAME, hf://OWNER/NAME/FILE.gguf, pip:PACKAGE==VERSION/FILE, a folder or a file"
_HUB = re.compile(r"^(?P<repo>[\w.-]+/[\w.-]+)(/(?P<file>.+))?$")
_WHEEL = re.compile(
    r"^(?P<package>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)"
    r"(==(?P<version>[A-Za-z0-9][\w.+!-]*))?(/(?P<file>.*))?$",
    re.ASCII,
)
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):")
_COMMIT = re.compile(r"^[0-9a-f]{40}$")
_SHA = re.compile(r"^sha256:[0-9a-f]{64}$")


@dataclass(frozen=True)
class Hub:
    """A repository of the Hub, or one GGUF file of it."""

    repo: str
    file: str | None = None

    def key(self, revision: str | None) -> str:
        """What its commit stands under in the file of pins."""
        return f"hf://{self.repo}@{revision or 'main'}"


@dataclass(frozen=True)
class Wheel:
    """A file or folder inside a wheel of a package index."""

    package: str
    version: str
    file: str

    @property
    def requirement(self) -> str:
        """The package as pip takes it."""
        return f"{self.package}=={self.version}"

    def key(self, revision: str | None = None) -> str:
        """What the wheel's hash stands under in the file of pins."""
        return f"pip:{self.requirement}"


@dataclass(frozen=True)
class Local:
    """A folder of a model, a zip of one, or a GGUF file."""

    path: str


Place = Hub | Wheel | Local


def parse(uri: str) -> Place:
    """The place that a uri names.

    Raises:
        ValueError: it is of no known form; one line that says which one is near.
    """
    if uri.startswith("hf:"):
        return _hub(uri)
    if uri.startswith("pip:"):
        return _wheel(uri)
    if scheme := _SCHEME.match(uri):
        raise ValueError(f"{uri}: no scheme {scheme[1]}:; a model is {FORMS}")
    return Local(uri)


def is_pin(place: Hub | Wheel, pin: object) -> bool:
    """Whether a value of the file of pins is of the kind that pins such a place."""
    return isinstance(pin, str) and bool((_SHA if isinstance(place, Wheel) else _COMMIT).match(pin))


def is_commit(revision: str) -> bool:
    """Whether a revision of the Hub is a commit, which never moves."""
    return bool(_COMMIT.match(revision))


def _hub(uri: str) -> Hub:
    found = _HUB.match(uri.removeprefix("hf://"))
    if not uri.startswith("hf://") or found is None:
        raise ValueError(f"{uri}: not of the form hf://OWNER/NAME or hf://OWNER/NAME/FILE.gguf")
    file = found["file"]
    if file is not None and not file.endswith(".gguf"):
        raise ValueError(f"{uri}: {file} is no .gguf; a repository is hf://OWNER/NAME alone")
    return Hub(found["repo"], file)


def _wheel(uri: str) -> Wheel:
    found = _WHEEL.match(uri.removeprefix("pip:"))
    form = "pip:PACKAGE==VERSION/FILE"
    if found is None:
        raise ValueError(f"{uri}: not of the form {form}")
    package, version, file = found["package"], found["version"], found["file"]
    if version is None:
        raise ValueError(f"{uri}: names no version; write pip:{package}==VERSION/FILE")
    if not file:
        raise ValueError(f"{uri}: names no file of the wheel; write pip:{package}=={version}/FILE")
    if any(part in ("", ".", "..") for part in file.rstrip("/").split("/")):
        raise ValueError(f"{uri}: {file} is no path inside a wheel")
    return Wheel(package, version, file.rstrip("/"))


def _known(uri: str) -> str:
    parse(uri)
    return uri


ModelUri = Annotated[str, Field(min_length=1), AfterValidator(_known)]
