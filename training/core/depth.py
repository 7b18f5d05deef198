"""A model cut to its first layers: what is left is a plain model of that many layers.

So a reward model that reads a middle layer needs no code of its own to be loaded: its config.json
says `num_hidden_layers`, and what it reads is that layer's output under the model's final norm.
"""

from __future__ import annotations

import re
from typing import Any

from curation.core.errors import UserError

_OF_NO_LAYER = re.compile("token|architectures")  # lists of the config, of whatever length


def cut(model: Any, layers: int, key: str) -> None:
    """Drop all layers above the first `layers`, in place, and have the config say so.

    Args:
        key: of params.yaml, for the complaint.

    Raises:
        UserError: the model has fewer layers, or keeps them in a way that is not known here.
    """
    config = model.config.get_text_config()
    total = config.num_hidden_layers
    if layers > total:
        raise UserError(f"{key}: {layers}, but the model has {total} layers; name one of them")
    if layers == total:
        return
    stack = layers_of(model, total, key)
    del stack[layers:]
    per_layer = {
        name: value[:layers]
        for name, value in config.to_dict().items()
        if isinstance(value, list) and len(value) == total and not _OF_NO_LAYER.search(name)
    }
    for name, value in {"num_hidden_layers": layers, **per_layer}.items():
        setattr(config, name, value)


def top(model: Any, layers: int, key: str) -> None:
    """Let the head, the last norm and the uppermost `layers` train, and nothing below them.

    Raises:
        UserError: as for `cut`.
    """
    total = model.config.get_text_config().num_hidden_layers
    if layers > total:
        raise UserError(f"{key}: {layers}, but the model has {total} layers; name fewer")
    stack = layers_of(model, total, key)
    owner = next(own for own in model.base_model.modules() if stack in own.children())
    parts = list(owner.children())
    above = parts[parts.index(stack) + 1 :]  # the last norm; embeddings stand before the layers
    model.base_model.requires_grad_(requires_grad=False)
    for module in (*stack[total - layers :], *above):
        module.requires_grad_(requires_grad=True)


def layers_of(model: Any, total: int, key: str) -> Any:
    """The list of the model's layers."""
    import torch

    found = [
        module
        for module in model.base_model.modules()
        if isinstance(module, torch.nn.ModuleList) and len(module) == total
    ]
    if len(found) != 1:
        name = type(model).__name__
        raise UserError(f"{key}: {name} keeps its layers in a way that is not known; leave it out")
    return found[0]
