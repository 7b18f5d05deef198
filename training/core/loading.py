"""Models from a folder of safetensors: all of it used and nothing made up, or one line why not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from curation.core.errors import UserError

INDEX = "model.safetensors.index.json"
WHOLE = "model.safetensors"
_UNREAD = ("lm_head.", "embed_out.")  # a classifier has no use for the language model's head
_FAILED = (OSError, ValueError, KeyError, RuntimeError, ImportError)


def policy(path: Path, dtype: str) -> Any:
    """A causal language model in evaluation mode on the CPU.

    Raises:
        UserError: a tensor is missing, left over, of another shape, or not finite.
    """
    from transformers import AutoModelForCausalLM

    model, info = _load(AutoModelForCausalLM, path, dtype)
    _same(path, model, info)
    return _finite_model(path, model)


def classifier(path: Path, dtype: str, *, new_labels: int | None = None) -> Any:
    """A sequence classifier in evaluation mode on the CPU, with its own head of one label.

    Args:
        new_labels: labels of a new head, drawn at random, that a backbone gets for training.

    Raises:
        UserError: as for `policy`, or the head has more than one label.
    """
    from transformers import AutoModelForSequenceClassification as Auto

    if new_labels is None:
        _one_label(path)
        model, info = _load(Auto, path, dtype)
        _same(path, model, _read(info))
    else:
        model, info = _load(Auto, path, dtype, num_labels=new_labels)
        _same(path, model, _backbone(model, info))
    return _finite_model(path, model)


def check(path: Path, *, labelled: bool) -> None:
    """Hold a folder to the same as loading it would, for an engine that loads it by itself.

    No weights are kept: the model is laid out without memory and the files read tensor by tensor.

    Raises:
        UserError: as for `policy` and `classifier`.
    """
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

    if labelled:
        _one_label(path)
    auto = AutoModelForSequenceClassification if labelled else AutoModelForCausalLM
    model, info = _load(auto, path, "auto", device_map="meta")
    _same(path, model, _read(info) if labelled else info)
    _finite(path, _tensors(path))


def config(path: Path) -> Any:
    """The text model's part of a folder's config.json; code in the folder is never run.

    Raises:
        UserError: there is none, or transformers can't read it.
    """
    from transformers import AutoConfig

    if not (path / "config.json").is_file():
        raise UserError(f"{path}: no model here (no config.json); run the stage that trains it")
    try:
        return AutoConfig.from_pretrained(path, trust_remote_code=False).get_text_config()
    except _FAILED as error:
        raise UserError(f"{path}: {_line(error)}") from error


def differences(path: Path) -> tuple[list[str], list[str]]:
    """Names that a classifier needs and its folder lacks, and names that it has and no one reads.

    No weights are read.
    """
    from transformers import AutoModelForSequenceClassification as Auto

    _, info = _load(Auto, path, "auto", device_map="meta")
    info = _read(info)
    return sorted(info["missing_keys"]), sorted(info["unexpected_keys"])


def files(path: Path) -> list[Path]:
    """The safetensors files of a folder's weights.

    Raises:
        UserError: there are none, or one that the index names is missing.
    """
    index = path / INDEX
    names = [WHOLE]
    if index.is_file():
        names = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
    lost = [name for name in names if not (path / name).is_file()]
    if lost:
        other = sorted(file.name for file in path.glob("*.bin"))
        hint = f" (only {other[0]}; save it as safetensors)" if other else ""
        raise UserError(f"{path}: no {lost[0]} here{hint}; weights are read as safetensors alone")
    return [path / name for name in names]


def _load(auto: Any, path: Path, dtype: str, **options: Any) -> tuple[Any, dict[str, Any]]:
    import torch

    config(path)
    if not any(held.keys() for held in _opened(path)):
        raise UserError(f"{path}: its safetensors hold no tensor; fetch or train it again")
    try:
        model, info = auto.from_pretrained(
            path,
            dtype=dtype if dtype == "auto" else getattr(torch, dtype),
            use_safetensors=True,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,  # told in one line below
            output_loading_info=True,
            **options,
        )
    except _FAILED as error:
        raise UserError(f"{path}: {_line(error)}") from error
    return model.eval(), info


def _one_label(path: Path) -> None:
    labels = config(path).num_labels
    if labels != 1:
        raise UserError(f"{path}: has {labels} labels; a reward model has one")


def _read(info: dict[str, Any]) -> dict[str, Any]:
    """The loading report of a classifier, without tensors that no classifier reads."""
    left = {key for key in info["unexpected_keys"] if not key.startswith(_UNREAD)}
    return {**info, "unexpected_keys": left}


def _backbone(model: Any, info: dict[str, Any]) -> dict[str, Any]:
    """The loading report of the backbone alone: the head is to be a new one."""
    own = f"{model.base_model_prefix}."
    parts = {name: {key for key in info[name] if key.startswith(own)} for name in _KEYS}
    return {**info, **parts}


_KEYS = ("missing_keys", "unexpected_keys")


def _same(path: Path, model: Any, info: dict[str, Any]) -> None:
    """Refuse a report that names any difference between the folder and the model."""
    missing, left = (sorted(info[name]) for name in _KEYS)
    if missing:
        has = f" (it has {_some(left)})" if left else ""
        named = left and _is_head(model, missing[0])
        hint = "; a head of another name is told by judges.NAME.head" if named else ""
        raise UserError(f"{path}: {_some(missing)} is not in the checkpoint{has}{hint}")
    if left:
        raise UserError(
            f"{path}: {_some(left)} is in the checkpoint, and {type(model).__name__} has no such "
            "part; it would be dropped"
        )
    for name, have, want in sorted(info["mismatched_keys"]):
        raise UserError(
            f"{path}: {name} is {tuple(have)} in the checkpoint and {tuple(want)} by its "
            "config.json" + ("; a reward model's head has one row" if _is_head(model, name) else "")
        )


def _is_head(model: Any, name: str) -> bool:
    return hasattr(model, "num_labels") and not name.startswith(f"{model.base_model_prefix}.")


def _finite_model(path: Path, model: Any) -> Any:
    _finite(path, model.named_parameters())
    return model


def _finite(path: Path, tensors: Iterable[tuple[str, Any]]) -> None:
    import torch

    for name, tensor in tensors:
        if not tensor.is_floating_point():
            continue
        total = tensor.detach().sum(dtype=torch.float32)  # no copy; only a large one can overflow
        if not total.isfinite() and not tensor.detach().float().isfinite().all():
            raise UserError(f"{path}: {name} holds NaN or infinite weights; train or fetch it anew")


def _tensors(path: Path) -> Iterator[tuple[str, Any]]:
    """Every tensor of the folder's weights, one in memory at a time."""
    for held in _opened(path):
        for name in held.keys():  # noqa: SIM118  # it is no dict
            yield name, held.get_tensor(name)


def _opened(path: Path) -> Iterator[Any]:
    """The folder's weight files, one open at a time.

    Raises:
        UserError: a file is no safetensors file, or is torn.
    """
    from safetensors import SafetensorError, safe_open

    for file in files(path):
        try:
            with safe_open(file, "pt") as held:
                yield held
        except SafetensorError as error:
            raise UserError(f"{file}: not a whole safetensors file ({error})") from error


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return ", ".join(names[:2]) + more


def _line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
