"""Models of GGUF files: de-quantised by transformers' own loader into plain float32 weights."""

from __future__ import annotations

import copy
import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from training.core.origin import Origin


def tokenizer(origin: Origin) -> Any:
    """The tokenizer and chat template that stand in the file.

    Raises:
        ValueError: transformers cannot convert it.
    """
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(origin.place, gguf_file=origin.gguf)


def model(origin: Origin) -> Any:
    """A causal language model with every weight of the file, as one that was never quantised.

    transformers marks what it loads as quantised and refuses to save or train it, so the weights
    move, without a copy, to a model that is built from the same configuration.

    Raises:
        UserError: a tensor is missing or left over.
        ValueError: transformers cannot read the file.
    """
    import torch
    from transformers import AutoModelForCausalLM, GgufConfig

    loaded, info = AutoModelForCausalLM.from_pretrained(
        origin.place,
        gguf_file=origin.gguf,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.float32,
        output_loading_info=True,
    )
    for what in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if info[what]:
            raise UserError(f"{origin.file}: {what.replace('_', ' ')}: {sorted(info[what])[0]}")
    return _plain(loaded)


def _plain(loaded: Any) -> Any:
    """The same weights in a model without the marks of a quantised one."""
    import torch
    from transformers import AutoModelForCausalLM

    config = copy.deepcopy(loaded.config)
    vars(config).pop("quantization_config", None)
    with torch.device("meta"):
        fresh = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    fresh.load_state_dict(loaded.state_dict(), strict=True, assign=True)
    fresh.tie_weights()
    buffers = dict(loaded.named_buffers())
    for name, buffer in list(fresh.named_buffers()):
        if buffer.is_meta:  # computed from the configuration, so no part of a state dict
            owner, _, last = name.rpartition(".")
            setattr(fresh.get_submodule(owner), last, buffers[name])
    fresh.generation_config = loaded.generation_config
    return fresh.eval()


def facts(path: Path) -> dict[str, Any]:
    """What a card tells of a file: its hash, how its weights were quantised, its own licence.

    Raises:
        UserError: it is no GGUF file, or is torn.
    """
    from gguf import GGUFReader

    try:
        reader = GGUFReader(path)
        kinds = Counter(tensor.tensor_type.name for tensor in reader.tensors)
        named = reader.get_field("general.license")
    except (ValueError, OSError, KeyError, IndexError) as error:
        raise UserError(f"{path}: not a whole GGUF file ({str(error).splitlines()[0]})") from error
    with path.open("rb") as handle:
        sha = hashlib.file_digest(handle, "sha256").hexdigest()
    return {
        "file": path.name,
        "file_sha256": sha,
        "quantised_from": dict(sorted(kinds.items())),
        "file_license": str(named.contents()) if named is not None else None,
    }
