"""What every section of params.yaml shares: immutable models and the types of common values.

Each knob is documented once, where it is declared: ``knob("Sentence.", default, unit="tokens")``.
From there come docs/reference/parameters.md, params.schema.json, the comments that `prefloop use`
writes and what `prefloop params` prints; a test fails on a field without a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from curation.core.words import meant


def quotable(path: str) -> str:
    """Refuse a path that could not stand between single quotes in a command of dvc.yaml.

    Raises:
        ValueError: it holds a quote or a control character, or would be read as a flag.
    """
    if "'" in path or not path.isprintable():
        raise ValueError("holds a single quote or a control character; rename the file")
    if path.startswith("-"):
        raise ValueError("begins as a flag does; write ./ before it")
    return path


Share = Annotated[float, Field(ge=0.0, le=1.0)]
Range = Annotated[tuple[Share, Share], Field(strict=False)]  # YAML has lists, not tuples
NO_SET = "none"  # the SFT set of no rows, which the graph always makes
PANEL = "panel"  # stands for all of judges; panel/NAME for one of them
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Judged = Annotated[str, Field(pattern=r"^(panel/)?[a-z][a-z0-9_]*$")]
File = Annotated[str, Field(min_length=1), AfterValidator(quotable)]
Count = Annotated[int, Field(gt=0, le=10**12)]  # more than there are rows: a slip of the hand
Seed = Annotated[int, Field(ge=0, lt=2**32)]


def knob(says: str, default: Any = ..., *, unit: str | None = None, **bounds: Any) -> Any:
    """A field of a section: what it does in a sentence, its default, its unit and its bounds.

    Args:
        says: one sentence, ended by a full stop; it need not repeat unit, default or bounds.
        default: left out where a recipe must say it.
        unit: what the number counts, such as tokens, rows or seconds.
        bounds: what pydantic's Field takes: gt, ge, lt, le, min_length, pattern.
    """
    return Field(
        default, description=says, json_schema_extra={"unit": unit} if unit else None, **bounds
    )


class Model(BaseModel):
    """Base of every section: immutable, unknown keys are errors, no text passes for a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    moved: ClassVar[Mapping[str, str]] = {}  # keys of earlier versions -> where they are now

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, given: Any) -> Any:
        if isinstance(given, Mapping):
            for key in given:
                if key not in cls.model_fields:
                    now = cls.moved.get(key) or meant(key, cls.model_fields)
                    said = f"{key}: unknown key; {now}"
                    raise PydanticCustomError("unknown_key", "{said}", {"said": said})
        return given
