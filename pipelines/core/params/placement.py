"""Where work runs: what belongs to a machine, not to a recipe, and changes no byte of any output.

It stands in a file of its own beside params.yaml, which no stage of the graph depends on: another
machine, more of them, or less memory leaves every output and every finished shard as it is.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import yaml
from pydantic import ValidationError

from curation.core.errors import UserError
from pipelines.core.params.section import Model, Share, knob

PATH = Path("placement.yaml")


class Placement(Model):
    """placement.yaml; a file that is not there leaves all at its default."""

    ray: str | None = knob(
        "Where actors run: null in the stage's own process, local on this machine, or the address "
        "of a Ray cluster (auto: the one that RAY_ADDRESS names).",
        None,
        min_length=1,
    )
    replicas: int | None = knob(
        "Copies of a model at work, one an actor; null: one for every engine.tensor_parallel GPUs, "
        "or a single one where there is no GPU.",
        None,
        gt=0,
        le=4096,
    )
    cpus: int | None = knob(
        "CPU cores of one actor; null: an equal share of this machine's.", None, gt=0, le=4096
    )
    memory_share: Share = knob("Share of a GPU's memory that vLLM sets aside.", 0.9)
    scratch: str | None = knob(
        "Folder on a local disk for spilled rows; null: .work/scratch.", None, min_length=1
    )


def read(path: Path | None = None) -> Placement:
    """The placement that a file states: placement.yaml, or the one PREFLOOP_PLACEMENT names.

    Raises:
        UserError: it is no YAML map, or a key is unknown or out of range.
    """
    named = os.environ.get("PREFLOOP_PLACEMENT")
    path = path or Path(named or PATH)
    if named is None and not path.exists():
        return Placement()
    try:
        given = yaml.safe_load(path.read_text("utf-8")) or {}
        return Placement.model_validate(given)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; PREFLOOP_PLACEMENT names it") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise UserError(f"{path}: {key + ': ' if key else ''}{first['msg']}") from error


@cache
def here() -> Placement:
    """The placement of this process, read once."""
    return read()
