"""What-if pairing: knobs from a form, both pairings, what changes, two histograms, examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

import polars as pl

from curation.audit.report.browser import visible
from curation.audit.report.charts import Caption, Figure
from curation.core.errors import UserError
from curation.pairing.pairs import Made
from curation.pairing.rules import Combine, Strategy
from curation.pairing.what_if import FIGURES, KEYS, changes, summary
from curation.ui.build import Build
from curation.ui.chart import beside

STRATEGIES = get_args(Strategy)
COMBINES = get_args(Combine)
EXAMPLES = 4
_LONGEST = 600  # characters of an example's text


@dataclass(frozen=True)
class Knob:
    """One slider: its name in params.pairs, label, range, step, and what it means."""

    name: str
    label: str
    low: float
    high: float
    step: float
    says: str


SLIDERS = (
    Knob("min_margin", "Smallest margin", 0, 6, 0.05, "pairs closer than this are dropped"),
    Knob("length_penalty", "Length penalty", 0, 0.1, 0.001, "reward taken off per unit of length"),
    Knob("target_margin", "Target margin", 0.1, 6, 0.1, "for target_margin: the margin sought"),
    Knob("top_k", "k", 1, 8, 1, "for top_k_bottom_k: how many best and worst"),
)
CHOICES = {
    "strategy": ("Strategy", STRATEGIES),
    "length_unit": ("Length in", ("chars", "tokens")),
    "truncated": ("Truncated responses", ("keep", "drop")),
    "combine": ("Several judges", COMBINES),
}


@dataclass(frozen=True)
class Result:
    """What another pairing would change."""

    changes: dict[str, int]
    rows: list[tuple[str, dict[str, Any]]]
    rules: dict[str, int]
    figures: list[Figure]
    examples: list[dict[str, str]]
    share: float
    prompts: int


def knobs(given: Mapping[str, str], now: Mapping[str, Any]) -> dict[str, Any]:
    """The knobs of a form: what it gives, else what params.yaml says."""
    names = (*CHOICES, *(slider.name for slider in SLIDERS))
    found = {name: given.get(name, now[name]) for name in names}
    if given.get("auto") == "on" or ("strategy" not in given and now["length_penalty"] == "auto"):
        found["length_penalty"] = "auto"
    return found


def result(build: Build, iteration: str, wanted: dict[str, Any]) -> Result:
    """Pair the stored scores both ways and say what differs.

    Raises:
        UserError: a knob has a wrong value, the iteration is unknown, or no pair is left.
    """
    if iteration not in build.iterations():
        raise UserError(f"iteration {iteration}: this build has no scores of it")
    both = build.pairings(iteration, wanted)
    before, after = both.before, both.after
    found = summary(before.metrics, after.metrics, changes(before.pairs, after.pairs))
    return Result(
        changes=found["changes"],
        rows=[(label, found["figures"][key]) for key, label in FIGURES],
        rules=found["rules"],
        figures=_figures(before.pairs, after.pairs),
        examples=_examples(before, after),
        share=both.share,
        prompts=before.metrics["prompts"],
    )


def _figures(before: pl.DataFrame, after: pl.DataFrame) -> list[Figure]:
    gap = pl.col("chosen_chars") - pl.col("rejected_chars")
    gap_before, gap_after = (frame.select(gap).to_series() for frame in (before, after))
    margins = Caption("margins", "Margins", "Adjusted reward of chosen less rejected.")
    lengths = Caption("gaps", "Length gaps", "Characters of chosen less rejected.")
    return [
        beside(margins, before["margin"], after["margin"], "margin"),
        beside(lengths, gap_before, gap_after, "characters"),
    ]


def _examples(before: Made, after: Made) -> list[dict[str, str]]:
    """Prompts whose pair is another one now, the first by id."""
    keys = ["prompt_id", "prompt", "chosen", "rejected"]
    new = after.pairs.join(before.pairs, on=KEYS, how="anti").sort("pair_id").select(keys)
    old = before.pairs.join(after.pairs, on=KEYS, how="anti").sort("pair_id").select(keys)
    both = old.unique("prompt_id", keep="first", maintain_order=True).join(
        new.unique("prompt_id", keep="first"),
        on="prompt_id",
        suffix="_after",
        maintain_order="left",
    )
    return [
        {name: _text(row[name][-1]["content"]) for name in both.columns if name != "prompt_id"}
        for row in both.head(EXAMPLES).to_dicts()
    ]


def _text(text: str) -> str:
    return visible(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")
