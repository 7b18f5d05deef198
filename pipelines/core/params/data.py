"""Sources, mixes and the prompt pool."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from pipelines.core.params.section import Model, Name, Range, Share


class Source(Model):
    """One raw set: where it is, which normaliser reads it, which rules it must pass."""

    kind: Literal["preference", "sft", "prompts", "benchmark"]
    format: str
    # A local file; for a set of the Hub, the file of pins that DVC watches in its place, because
    # DVC refuses hf:// as a dependency.
    path: str
    uri: str | None = Field(default=None, pattern=r"^hf://")
    revision: str | None = None
    limit: int | None = Field(default=None, gt=0)
    license: str = "unknown"
    annotator: str = "unknown"
    options: dict[str, Any] = {}
    filters: list[str | dict[str, Any]] = []


class Decontaminate(Model):
    """How training text is kept apart from the benchmarks."""

    ngram: int = Field(default=13, ge=1)
    exact: bool = True
    min_hits: int = Field(default=1, ge=1)


class Member(Model):
    """One set's share of a mix: the share of its prompts kept, and a cap on its rows."""

    weight: Share = 1.0
    cap: int | None = Field(default=None, gt=0)


class Mix(Model):
    """One mix of preference sets or SFT sets."""

    members: dict[Name, Member]
    per_prompt_cap: int | None = Field(default=None, gt=0)
    eval_share: Share = 0.05
    dedup: Literal["none", "exact", "near"] = "exact"
    conflicts: Literal["keep", "drop", "first_member"] = "drop"
    decontaminate: Decontaminate = Decontaminate()


class Prompts(Model):
    """The prompt pool; ``map_model`` is a sentence-transformers model for its map, else TF-IDF."""

    max_tokens: int = Field(gt=0)
    min_chars: int = Field(1, ge=0)
    eval_range: Range
    clusters: int = Field(8, gt=0)
    dedup: Literal["exact", "near"] = "exact"
    near_threshold: float = Field(0.75, ge=0.5, le=1.0)
    map_model: str | None = None
    map_revision: str | None = None
    decontaminate: Decontaminate = Decontaminate()
