"""The twin of a recipe: the same keys, sources and base model; sizes that a laptop takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from pipelines.core import params
from pipelines.core.params.text import read

_TRAIN = {"max_length": 512, "bf16": False, "launch": "recipes/accelerate/cpu2.yaml"}
SIZES: dict[str, Any] = {
    "engine": {"name": "transformers", "dtype": "float32", "batch_tokens": 4096},
    **{name: dict(_TRAIN) for name in ("sft", "reward_model", "preference_model")},
    "dpo": dict(_TRAIN),
    "dpo_offline": dict(_TRAIN),
    "sft_mix": {"eval_share": 0.05},
    "mixes": {"mix1": {"eval_share": 0.05}, "mix2": {"eval_share": 0.05}},
    "prompts": {"clusters": 4},
    "iterations": {
        name: {"limit": 16, "n": 4, "max_new_tokens": 24} for name in ("iter1", "iter2", "iter3")
    },
    "evaluation": {"prompts": 8, "max_new_tokens": 24},
    "gates": {"max_cut_share": 1.0},  # a random model never ends
    "report": {"pairs_sample": 20},
}


def text(recipe: str) -> str:
    """The twin as a recipe's file."""
    return yaml.safe_dump({"extends": recipe, **SIZES}, sort_keys=False)


def uris(path: Path) -> list[str]:
    """The sets of the Hub that a recipe names."""
    whole = params.check(read(path))
    return sorted({source.uri for source in whole.sources.values() if source.uri is not None})


def base(path: Path) -> str:
    """The repository of a recipe's base model."""
    return str(params.check(read(path)).base.uri).removeprefix("hf://")


def differing(recipe: Path, twin: Path) -> dict[str, tuple[Any, Any]]:
    """Dotted keys whose values differ, with both.

    Raises:
        SystemExit: the twin has keys that the recipe has not, or lacks some.
    """
    ours, theirs = (dict(_flat(params.check(read(one)).model_dump())) for one in (recipe, twin))
    if ours.keys() != theirs.keys():
        raise SystemExit(f"{twin}: its keys are not the recipe's: {ours.keys() ^ theirs.keys()}")
    return {key: (ours[key], theirs[key]) for key in ours if ours[key] != theirs[key]}


def _flat(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict) or not value:
        yield at, value
        return
    for key, one in value.items():
        yield from _flat(one, f"{at}.{key}" if at else str(key))
