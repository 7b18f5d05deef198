"""Sources, mixes and the prompt pool."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import model_validator

from pipelines.core.params.model_uri import ModelUri
from pipelines.core.params.section import Count, File, Model, Name, Range, Share, knob


class Source(Model):
    """One raw set: where it is, which normaliser reads it, which rules it must pass."""

    kind: Literal["preference", "sft", "prompts", "benchmark"] = knob("What its rows are.")
    format: str = knob("The normaliser that reads it; see the reference of formats.")
    # DVC refuses hf:// as a dependency, so it watches the file of pins in place of a hub's set.
    path: File = knob("The file, or for a set of the Hub the file of pins.")
    uri: str | None = knob(
        "Files of a dataset on the Hub: hf://OWNER/NAME/PATH, * in PATH.", None, pattern=r"^hf://"
    )
    revision: str | None = knob(
        "Commit, tag or branch on the Hub, or sha256:HEX of a local file.", None, min_length=1
    )
    limit: Count | None = knob("At most so many rows are read; null: all.", None, unit="rows")
    license: str = knob("Licence of the rows; what is published carries it on.", "unknown")
    annotator: str = knob("Who labelled the rows: human, or a model's name.", "unknown")
    options: dict[str, Any] = knob("What the format takes, such as column or columns.", {})
    filters: list[str | dict[str, Any]] = knob(
        "Rules in order, each a name or {name: threshold}; structural stands for all of form.", []
    )


class Decontaminate(Model):
    """How training text is kept apart from the benchmarks."""

    ngram: int = knob(
        "Length of a shared passage that counts as a hit; characters in scripts without spaces.",
        13,
        unit="words",
        ge=1,
        le=1000,
    )
    exact: bool = knob("Whether a prompt equal to an item counts, however short.", True)
    min_hits: int = knob("Fewest shared passages that drop a prompt.", 1, ge=1, le=10_000)


class Member(Model):
    """One set's share of a mix: the share of its prompts kept, and a cap on its rows."""

    weight: Share = knob("Share of the set's prompts that stay, picked by hash.", 1.0)
    cap: Count | None = knob("At most so many of its rows stay; null: all.", None, unit="rows")


class Mix(Model):
    """One mix of preference sets or SFT sets."""

    members: dict[Name, Member] = knob("The sets by name; of copies the earliest set's stays.")
    per_prompt_cap: Count | None = knob(
        "At most so many rows of one prompt; null: all.", None, unit="rows"
    )
    eval_share: Share = knob("Share of the prompts held out to measure what is trained.", 0.05)
    dedup: Literal["none", "exact", "near"] = knob("Which copies of a row or prompt go.", "exact")
    near_threshold: float = knob(
        "Jaccard similarity of word 3-grams (of characters, without spaces) of near prompts.",
        0.75,
        ge=0.5,
        le=1.0,
    )
    conflicts: Literal["keep", "drop", "first_member"] = knob(
        "What becomes of two responses that are labelled both ways.", "drop"
    )
    decontaminate: Decontaminate = knob("How benchmarks are kept out.", Decontaminate())


class Prompts(Model):
    """The prompt pool that the iterations and the evaluation draw from."""

    max_tokens: int = knob("A longer prompt goes.", unit="tokens", gt=0, le=10_000_000)
    min_chars: int = knob("A shorter prompt goes.", 1, unit="characters", ge=0, le=1_000_000)
    eval_range: Range = knob("Buckets of the hash that are held out; no iteration may use them.")
    held_out: list[Name] = knob(
        "Prompt sets that are held out whole: all their prompts fall into eval_range.", []
    )
    clusters: int = knob("Clusters that the map of the prompts shows.", 8, gt=0, le=10_000)
    dedup: Literal["exact", "near"] = knob(
        "Which copies go: equal prompts, or near-duplicates too, across sets.", "exact"
    )
    near_threshold: float = knob(
        "Jaccard similarity of word 3-grams (of characters, without spaces) that makes two near.",
        0.75,
        ge=0.5,
        le=1.0,
    )
    map_model: ModelUri | None = knob(
        "A sentence-transformers model for the map: hf://OWNER/NAME, pip:PACKAGE==VERSION/FILE or "
        "a folder; null: TF-IDF and SVD.",
        None,
    )
    map_revision: str | None = knob("Commit or tag of an hf:// map_model.", None, min_length=1)
    decontaminate: Decontaminate = knob("How benchmarks are kept out.", Decontaminate())

    @model_validator(mode="after")
    def _goes_with_a_model(self) -> Prompts:
        if self.map_revision is not None and self.map_model is None:
            raise ValueError("map_revision: needs map_model, which is null")
        if self.map_revision is not None and not (self.map_model or "").startswith("hf://"):
            raise ValueError("map_revision: is for hf://; a wheel's version stands in its uri")
        return self
