"""What only all items together say: copies, conflicts, near prompts, benchmarks, lengths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from curation.core import ids, messages
from curation.lint.report import Example
from curation.mixing import decontaminate
from curation.mixing.dedup import near_duplicates

col = pl.col
NEAR = 20_000
"""Different prompts, the first of a file, among which near-duplicates are looked for."""


class Whole:
    """Collects 40 bytes an item, and the texts of the first prompts."""

    def __init__(self, kind: str, benchmarks: pl.DataFrame | None) -> None:
        self._kind, self._benchmarks = kind, benchmarks
        self._keys: list[pl.DataFrame] = []
        self._prompts: list[pl.DataFrame] = []
        self._sums: list[pl.DataFrame] = []
        self._held = 0
        self.hits: list[pl.DataFrame] = []

    def add(self, items: pl.DataFrame) -> None:
        """Take one batch of items."""
        said = items.select(
            "source_row", "prompt", "chosen", "rejected", "chosen_score", "rejected_score"
        )
        keys = said.select(
            row=col("source_row").str.extract(r"^(\d+)").cast(pl.UInt32),
            prompt=ids.canonical(col("prompt")).hash(),
            a=col("chosen").fill_null("").hash(),
            b=col("rejected").fill_null("").hash(),
        )
        self._keys.append(keys)
        self._sums.append(said.select(*_lengths()))
        if self._held < NEAR:
            texts = said.select(messages.text(col("prompt")).alias("text"))
            self._prompts.append(pl.concat([keys.select("row", "prompt"), texts], how="horizontal"))
            self._held += items.height
        if self._benchmarks is not None:
            asked = pl.concat([keys.select("row"), said.select("prompt")], how="horizontal")
            named = asked.with_columns(prompt_id=col("row").cast(pl.String)).drop("row")
            settings = decontaminate.Settings()
            self.hits.append(decontaminate.hits([named], self._benchmarks, settings))

    def copies(self) -> tuple[int, list[Example]]:
        """Items that an earlier one is equal to."""
        frame = self._frame()
        again = ~pl.struct("prompt", "a", "b").is_first_distinct()
        return _told(frame.filter(again), "an earlier row is the same")

    def conflicts(self) -> tuple[int, list[Example]]:
        """Items whose two answers another item of the prompt prefers the other way."""
        low, high = pl.min_horizontal("a", "b"), pl.max_horizontal("a", "b")
        both = self._frame().filter(col("a") != col("b")).with_columns(low=low, high=high)
        turned = (col("a") < col("b")).n_unique().over("prompt", "low", "high") > 1
        return _told(both.filter(turned), "another row prefers the other answer")

    def near(self, threshold: float) -> tuple[int, int, list[Example]]:
        """Near-duplicate prompts among the first ones: how many go, of how many, examples."""
        if not self._prompts:
            return 0, 0, []
        first = pl.concat(self._prompts).unique("prompt", keep="first", maintain_order=True)
        first = first.head(NEAR).with_columns(prompt_id=col("row").cast(pl.String))
        gone = near_duplicates(first.select("prompt_id", "text"), threshold)
        told = pl.format(
            "near row {}: {}", col("near").cast(pl.Int64) + 1, col("similarity").round(2)
        )
        examples = [
            Example(int(row) + 1, said)
            for row, said in gone.select("prompt_id", told).head(3).iter_rows()
        ]
        return gone.height, first.height, examples

    def contaminated(self) -> tuple[int, list[Example]]:
        """Prompts that hold a benchmark's item."""
        found = pl.concat(self.hits) if self.hits else pl.DataFrame()
        examples = (
            [
                Example(int(row) + 1, detail[:160])
                for row, detail in found.head(3).select("prompt_id", "detail").iter_rows()
            ]
            if found.height
            else []
        )
        return found.height, examples

    def figures(self) -> dict[str, Any]:
        """Lengths: means, how often chosen is longer, and how far that goes with the margin."""
        sums = pl.concat(self._sums).sum().row(0, named=True) if self._sums else {}
        return _figures(sums, self._kind)

    def _frame(self) -> pl.DataFrame:
        return pl.concat(self._keys)


def _told(frame: pl.DataFrame, said: str) -> tuple[int, list[Example]]:
    return frame.height, [Example(int(row) + 1, said) for row in frame["row"].head(3)]


def _lengths() -> list[pl.Expr]:
    """Sums that means and a correlation are made of."""
    chosen, rejected = (
        col(side).str.len_chars().cast(pl.Float64) for side in ("chosen", "rejected")
    )
    gap = chosen - rejected
    margin = pl.when(gap.is_not_null()).then(col("chosen_score") - col("rejected_score"))
    margin = pl.when(margin.is_finite()).then(margin)
    known = pl.when(margin.is_not_null()).then(gap)
    made = {
        "n": gap.is_not_null(), "longer": gap > 0, "chosen": chosen, "rejected": rejected,
        "scored": margin.is_not_null(), "m": margin, "mm": margin * margin,
        "g": known, "gg": known * known, "mg": margin * known,
    }  # fmt: skip
    return [one.cast(pl.Float64).sum().alias(name) for name, one in made.items()]


def _figures(sums: Mapping[str, float], kind: str) -> dict[str, Any]:
    if kind != "preference" or not sums or not sums["n"]:
        return {}
    n, scored = sums["n"], sums["scored"]
    made: dict[str, Any] = {
        "mean_chars_chosen": round(sums["chosen"] / n, 1),
        "mean_chars_rejected": round(sums["rejected"] / n, 1),
        "chosen_longer": round(sums["longer"] / n, 4),
        "share_with_scores": round(scored / n, 4),
    }
    top = scored * sums["mg"] - sums["m"] * sums["g"]
    below = (scored * sums["mm"] - sums["m"] ** 2) * (scored * sums["gg"] - sums["g"] ** 2)
    if below > 0:
        made["margin_and_length_correlation"] = round(top / below**0.5, 4)
    return made
