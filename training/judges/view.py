"""A reward model of others under the names and the reading place that transformers expects.

Nothing of the model is changed: the folder is seen through links, and only the file whose head has
another name, and the config.json, stand in it anew. So every engine reads it as any other.
"""

from __future__ import annotations

import json
import shutil
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from curation.core.errors import UserError
from training.core import loading

Reads = Literal["config", "last"]


@dataclass(frozen=True)
class Reading:
    """How a reward model is read where its folder does not say it as transformers does.

    Attributes:
        head: name in the checkpoint of the tensor that is the head; None: as transformers names it.
        at: the token that bears the score: the last that is not config.json's pad_token_id, as
            transformers reads it, or the last of all, whatever the config says.
        context: tokens of prompt and response that it may be asked; None: all that the model takes.
    """

    head: str | None = None
    at: Reads = "config"
    context: int | None = None

    @property
    def changes(self) -> list[str]:
        """What makes its rewards other ones than the folder's by itself; a part of its hash."""
        said = {"head": self.head, "at": None if self.at == "config" else self.at}
        said["context"] = None if self.context is None else str(self.context)
        return [f"{key} {value}" for key, value in said.items() if value is not None]


def seen(path: Path, reading: Reading) -> tempfile.TemporaryDirectory[str] | None:
    """The folder as the reading has it, until the result is let go; None where it is as it stands.

    Raises:
        UserError: the named head is not there, or is not what the model lacks.
    """
    if reading.head is None and reading.at == "config":
        return None
    folder = tempfile.TemporaryDirectory(prefix="prefloop-judge-")
    there = Path(folder.name)
    for file in path.iterdir():
        if file.is_file():
            (there / file.name).symlink_to(file.resolve())
    if reading.head is not None:
        _name_head(path, there, reading.head)
    if reading.at == "last":
        told = json.loads((path / "config.json").read_text("utf-8"))
        for part in (told, told.get("text_config", {})):
            part["pad_token_id"] = None
        _instead(there / "config.json", json.dumps(told))
    return folder


def _name_head(path: Path, there: Path, head: str) -> None:
    missing, left = loading.differences(path)
    if head not in left or len(missing) != 1:
        raise UserError(
            f"{path}: head {head} cannot stand for {', '.join(missing) or 'nothing missing'}; "
            f"not read so far: {', '.join(left) or 'nothing'}"
        )
    index = path / loading.INDEX
    name = loading.WHOLE
    if index.is_file():
        told = json.loads(index.read_text("utf-8"))
        name = told["weight_map"].pop(head)
        told["weight_map"][missing[0]] = name
        _instead(there / loading.INDEX, json.dumps(told))
    (there / name).unlink()
    _renamed(path / name, there / name, head, missing[0])


def _instead(link: Path, text: str) -> None:
    link.unlink()
    link.write_text(text, "utf-8")


def _renamed(source: Path, target: Path, old: str, new: str) -> None:
    """A copy of a safetensors file whose header has another name; the tensors are not read."""
    with source.open("rb") as given, target.open("wb") as out:
        (size,) = struct.unpack("<Q", given.read(8))
        header: dict[str, Any] = json.loads(given.read(size))
        header[new] = header.pop(old)
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)  # the format wants the tensors aligned
        out.write(struct.pack("<Q", len(text)) + text)
        shutil.copyfileobj(given, out, 1 << 24)
