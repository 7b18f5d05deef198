"""How a reward model that is a mean over the response lies on disk, so that nobody misreads it.

No class of transformers reads a mean over the response alone, and one that found a `score.weight`
would read the last token in silence. So the folder is a plain backbone (`AutoModel` loads it as it
stands), its config.json names no label, and the head lies in a file of its own. A classifier made
of the folder lacks its head, says so, and gives no score at all: a row of zero columns.

reward = mean over the response's tokens of (last hidden state . head); the card prints it as code.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from training.core import loading
from training.core.settings import Pooling

FILE = "reward_head.safetensors"
NAME = "score.weight"
_NOT_WHOLE = {loading.WHOLE: "backbone.safetensors"}  # an index beside that name is not looked at


def pooling(path: Path) -> Pooling:
    """Whether a reward model's folder is read at the last token or over the response."""
    return "mean" if (path / FILE).is_file() else "last"


def tensor(path: Path) -> Any:
    """The head of a folder that is read over the response, [1, hidden].

    Raises:
        UserError: the file holds another tensor.
    """
    from safetensors.torch import load_file

    held = load_file(path / FILE)
    if list(held) != [NAME] or held[NAME].ndim != 2 or held[NAME].shape[0] != 1:
        raise UserError(f"{path / FILE}: holds {', '.join(held)}; it is no head of a reward model")
    return held[NAME]


def detach(path: Path) -> None:
    """Turn a saved classifier of one label into the form above, in place."""
    from safetensors.torch import load_file, save_file

    index = path / loading.INDEX
    file = path / loading.WHOLE
    if index.is_file():
        told = json.loads(index.read_text("utf-8"))
        file = path / told["weight_map"].pop(NAME)
        index.write_text(json.dumps(told, indent=2, sort_keys=True) + "\n", "utf-8")
    tensors = load_file(file)
    save_file({NAME: tensors.pop(NAME)}, path / FILE, {"format": "pt"})
    save_file(tensors, file, {"format": "pt"})
    _tell(path / "config.json", [_classes(path)[0]], {})


@contextmanager
def native(path: Path) -> Iterator[Path]:
    """The folder as a classifier of one label, which any engine loads, for as long as it loads.

    It is the folder itself where that is one. Else a folder of links, in which the head is one
    more file of weights: its scores, read at every token of the response, are to be averaged.
    """
    if pooling(path) == "last":
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="prefloop-reward-") as folder:
        there = Path(folder)
        for file in path.iterdir():
            if file.is_file() and file.name not in ("config.json", loading.INDEX):
                (there / _NOT_WHOLE.get(file.name, file.name)).symlink_to(file.resolve())
        tensor(path)
        weights = _weight_map(path) | {NAME: FILE}
        index = {"metadata": {}, "weight_map": weights}
        (there / loading.INDEX).write_text(json.dumps(index), "utf-8")
        (there / "config.json").write_bytes((path / "config.json").read_bytes())
        _tell(there / "config.json", [_classes(path)[1]], {"0": "LABEL_0"})
        yield there


def _weight_map(path: Path) -> dict[str, str]:
    from safetensors import safe_open

    found: dict[str, str] = {}
    for file in loading.files(path):
        with safe_open(file, "pt") as held:
            found |= dict.fromkeys(held.keys(), _NOT_WHOLE.get(file.name, file.name))
    return found


def _tell(config: Path, architectures: list[str], labels: dict[str, str]) -> None:
    told = json.loads(config.read_text("utf-8"))
    told["architectures"] = architectures
    told["id2label"] = labels
    told["label2id"] = {name: int(place) for place, name in labels.items()}
    config.write_text(json.dumps(told, indent=2, sort_keys=True) + "\n", "utf-8")


def _classes(path: Path) -> tuple[str, str]:
    """The architecture's names as a backbone and as a sequence classifier."""
    from transformers import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING, MODEL_MAPPING, AutoConfig

    kind = type(AutoConfig.from_pretrained(path, trust_remote_code=False))
    return MODEL_MAPPING[kind].__name__, MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING[kind].__name__
