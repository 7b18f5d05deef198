"""Rated responses of the sets that rate several attributes apart: HelpSteer and UltraFeedback."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from curation.core.errors import UserError
from curation.sources.rated import ASPECTS

HELPSTEER = ("helpfulness", "correctness", "coherence", "complexity", "verbosity")

Frame = pl.DataFrame


def helpsteer(native: Frame) -> Frame:
    """One row per response; ratings 0 to 4 become shares in [0, 1], a missing one is null."""
    ratings = [
        (pl.col(name).cast(pl.Float64) / 4.0).alias(f"helpsteer-{name}")
        for name in HELPSTEER
        if name in native.columns
    ]
    return native.select("prompt", "response", *ratings)


def ultrafeedback(native: Frame) -> Frame:
    """One row per completion; ratings 1 to 5 become shares in [0, 1]; "N/A" is null."""
    each = native.select(
        pl.col("instruction").alias("prompt"), pl.col("completions").alias("answer")
    ).explode("answer", empty_as_null=False)
    annotations = pl.col("answer").struct.field("annotations")
    ratings = [
        ((_number(annotations.struct.field(aspect).struct.field("Rating")) - 1.0) / 4.0).alias(
            f"ultrafeedback-{aspect}"
        )
        for aspect in ASPECTS
    ]
    return each.select("prompt", pl.col("answer").struct.field("response"), *ratings)


def _number(text: pl.Expr) -> pl.Expr:
    return text.cast(pl.Float64, strict=False)


FORMS: dict[str, Callable[[Frame], Frame]] = {
    "helpsteer": helpsteer,
    "ultrafeedback": ultrafeedback,
}


def gather(natives: dict[str, Frame]) -> tuple[Frame, list[str]]:
    """All rated responses, one column per attribute, and the attributes' names.

    Rows without prompt, response or any rating are left out; the order is fixed by content.

    Raises:
        UserError: nothing is left.
    """
    frames = [FORMS[name](native) for name, native in sorted(natives.items())]
    rows = pl.concat(frames, how="diagonal")
    names = [name for name in rows.columns if name not in ("prompt", "response")]
    rated = rows.filter(
        pl.col("prompt").str.strip_chars() != "",
        pl.col("response").str.strip_chars() != "",
        pl.any_horizontal(pl.col(name).is_not_null() for name in names),
    ).unique()
    if rated.is_empty():
        raise UserError("no response of these sets has a rating; give their native.parquet")
    return rated.sort(["prompt", "response", *names]), names
