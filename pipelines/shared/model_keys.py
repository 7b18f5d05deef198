"""The keys of a recipe that name models, with where each is."""

from __future__ import annotations

from typing import NamedTuple

from pipelines.core.params import Params
from pipelines.core.params.model_uri import Hub, Wheel, parse


class Asked(NamedTuple):
    """What a recipe asks for under one key."""

    place: Hub | Wheel
    revision: str | None


def uris(params: Params) -> dict[str, tuple[str, str | None]]:
    """Key -> uri and revision, of every model that the recipe names."""
    found = {
        "base.uri": (params.base.uri, params.base.revision),
        "prompts.map_model": (params.prompts.map_model, params.prompts.map_revision),
        **{f"models.{name}.uri": (one.uri, one.revision) for name, one in params.models.items()},
    }
    return {key: (uri, revision) for key, (uri, revision) in found.items() if uri is not None}


def pinned(params: Params) -> dict[str, Asked]:
    """Key -> place, of the models that a pin can hold: those of the Hub and of wheels."""
    found = {key: (parse(uri), revision) for key, (uri, revision) in uris(params).items()}
    return {
        key: Asked(place, revision)
        for key, (place, revision) in found.items()
        if isinstance(place, Hub | Wheel)
    }
