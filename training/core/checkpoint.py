"""Checkpoints on disk: safetensors, tokenizer, chat template and what made them, nothing timed."""

from __future__ import annotations

import glob
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from training.core import environment, loading, vocabulary
from training.core.chat_template import ChatTemplate

CARD = "prefloop.json"
_NO_ROOM = (
    "No space left on device",
    "File too large",
    "Disk quota exceeded",
)
_TORN = ("PytorchStreamWriter failed", "unexpected pos")  # torch.save tells no more than that
_TIMED = ("training_args.bin",)  # pickles with host names; not a part of a model


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what torch and safetensors raise when a write fails into one line.

    Raises:
        UserError: the disk is full, or a file may not grow that large.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        said = f"{error} {error.__cause__ or error.__context__ or ''}"
        found = [sign for sign in _NO_ROOM if sign in said]
        found += ["No room for a whole file" for sign in _TORN if sign in said]
        if not found:
            raise
        raise UserError(
            f"{path}: a checkpoint could not be written ({found[0]}); free some disk space and run "
            "the stage again"
        ) from error


@contextmanager
def folder(path: Path) -> Iterator[Path]:
    """Yield a temp folder beside `path`; on success it replaces `path` whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for torn in path.parent.glob(f".{glob.escape(path.name)}.*.tmp*"):  # what a kill has left
        shutil.rmtree(torn, ignore_errors=True)
    temp = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent))
    try:
        with writing(path):
            yield temp
        temp.chmod(0o755)
        if path.exists():
            old = temp.with_name(temp.name + ".old")
            path.rename(old)
            temp.rename(path)
            shutil.rmtree(old)
        else:
            temp.rename(path)
    finally:
        shutil.rmtree(temp, ignore_errors=True)


def save(path: Path, model: Any, tokenizer: Any, card: dict[str, Any]) -> str:
    """Write a model with its tokenizer; returns the hash that names it.

    Args:
        path: the checkpoint's folder; it appears whole or not at all.
        card: facts for prefloop.json: kind, policy or judge name, reference scores.
    """
    with folder(path) as temp:
        model.save_pretrained(temp)
        return finish(temp, tokenizer, card)


def link(source: Path, path: Path, card: dict[str, Any]) -> str:
    """A checkpoint of the same files under another card; their bytes are shared where they can be.

    Args:
        source: the checkpoint that is linked.
        path: the new one's folder; it appears whole or not at all.
        card: facts that take the place of the source's.

    Returns:
        The hash that names the weights.
    """
    told = {**json.loads((source / CARD).read_text("utf-8")), **card}
    with folder(path) as temp:
        for file in sorted(source.rglob("*")):
            target = temp / file.relative_to(source)
            if file.is_dir():
                target.mkdir()
            elif file.name != CARD:
                _shared(file.resolve(), target)
        _write_card(temp, told)
    return str(told["weights_sha"])


def gather(files: Mapping[str, Path], path: Path) -> None:
    """A checkpoint's folder of these files by name, whole or not at all; bytes shared as in `link`.

    Raises:
        UserError: there is no room for it.
    """
    with folder(path) as temp:
        for name, file in files.items():
            _shared(file.resolve(), temp / name)


def _shared(file: Path, target: Path) -> None:
    """A hard link: outputs are replaced whole and never written in place. Else a copy."""
    try:
        target.hardlink_to(file)
    except OSError:  # another file system, or one without links
        shutil.copyfile(file, target)


def _write_card(temp: Path, facts: dict[str, Any]) -> None:
    text = json.dumps(facts, indent=2, sort_keys=True, ensure_ascii=False)
    (temp / CARD).write_text(text + "\n", "utf-8")


def finish(temp: Path, tokenizer: Any, card: dict[str, Any]) -> str:
    """Add tokenizer and card to a folder that holds a model already; returns its hash."""
    for name in _TIMED:
        (temp / name).unlink(missing_ok=True)
    tokenizer.save_pretrained(temp)
    template = ChatTemplate(tokenizer)
    _tell_ends(temp, tokenizer, template)
    for file in temp.iterdir():
        file.chmod(0o644)
    sha = weights_sha(temp)
    facts = {**card, "determinism": environment.determinism()}
    _write_card(temp, {**facts, "weights_sha": sha, "template_sha": template.sha})
    return sha


def _tell_ends(temp: Path, tokenizer: Any, template: ChatTemplate) -> None:
    """Name every end of a policy in its generation_config.json: other tools stop there too."""
    file = temp / "generation_config.json"
    if not file.is_file():  # a classifier
        return
    ends = sorted(vocabulary.of(temp, tokenizer, template).ends)
    told = json.loads(file.read_text("utf-8"))
    told["eos_token_id"] = ends[0] if len(ends) == 1 else ends
    file.write_text(json.dumps(told, indent=2, sort_keys=True) + "\n", "utf-8")


def weights_sha(path: Path) -> str:
    """Hash (24 hex digits) of a checkpoint's weights and tokenizer.

    Raises:
        UserError: the folder holds no safetensors weights.
    """
    weights = sorted(path.glob("*.safetensors"))
    if not weights:
        raise UserError(f"{path}: no .safetensors weights here; run the stage that trains it")
    digest = hashlib.sha256()
    for file in (*weights, path / "tokenizer.json"):
        with file.open("rb") as handle:
            digest.update(hashlib.file_digest(handle, "sha256").digest())
    return digest.hexdigest()[:24]


def card(path: Path) -> dict[str, Any]:
    """The facts stored beside a model; empty for a model that others made."""
    file = path / CARD
    return dict(json.loads(file.read_text("utf-8"))) if file.is_file() else {}


def load_tokenizer(path: Path) -> Any:
    """The tokenizer of a checkpoint, with its chat template and a padding token.

    Raises:
        UserError: the folder is missing or holds no tokenizer.
    """
    from transformers import AutoTokenizer

    if not (path / "tokenizer.json").is_file():
        raise UserError(f"{path}: no tokenizer.json here; run the stage that trains it")
    tokenizer = AutoTokenizer.from_pretrained(path, trust_remote_code=False)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_policy(path: Path, dtype: str = "float32") -> Any:
    """A causal language model in evaluation mode on the CPU; UserError for any odd tensor."""
    model = loading.policy(path, dtype)
    try:
        model.generation_config.validate(strict=True)
    except ValueError:  # a temperature without do_sample, say: read as it is, and never written
        model.generation_config.do_sample = True
    return model


def load_classifier(path: Path, dtype: str = "float32", *, num_labels: int | None = None) -> Any:
    """A sequence classifier with one label, such as a Bradley-Terry reward model.

    With `num_labels` it gets a new random head of so many; else UserError for any odd tensor.
    """
    return loading.classifier(path, dtype, new_labels=num_labels)
