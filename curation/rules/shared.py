"""Every rule that a source's list of filters may name: of form, of wording, of single sets."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from curation.core import messages
from curation.rules import sides, wording
from curation.rules import structural as rules_structural
from curation.rules.rule import Rule, Threshold

col = pl.col


def _copy() -> pl.Expr:
    """Whether a row is not the first living one with its key."""
    alive_first = [col("_rule").is_not_null(), col("source_row"), col("item")]
    return pl.int_range(pl.len()).over("_key", order_by=alive_first) >= 1


def _value(name: str) -> Callable[[Threshold], pl.Expr]:
    return lambda _: pl.concat_str(pl.lit(f"{name.lstrip('_')} "), col(name).cast(pl.String))


def _against(name: str, word: str) -> Callable[[Threshold], pl.Expr]:
    """A detail of the form "score_ratio 1.5, not above 2.0"."""
    return lambda limit: pl.concat_str(_value(name)(limit), pl.lit(f", {word} {limit}"))


def _if_any(name: str) -> pl.Expr:
    """A column that only some formats give; no column at all where this one does not."""
    return pl.col(f"^_{name}$")


def _against_scores() -> pl.Expr:
    return (col("chosen_score") < col("rejected_score")).fill_null(False)


def _not_finite() -> list[pl.Expr]:
    return [~col(side).is_finite() for side in ("chosen_score", "rejected_score")]


def _latin_share() -> pl.Expr:
    said = pl.coalesce("chosen", messages.text(col("prompt")))  # a prompt set has no responses
    letters = said.str.count_matches(r"\p{L}")
    latin = said.str.count_matches(r"\p{Latin}")
    return pl.when(letters > 0).then(latin / letters)


_ALL = (
    *rules_structural.RULES,
    *sides.RULES,
    *wording.RULES,
    Rule(
        "over_long_prompt",
        "A prompt over the model's limit would be cut by the trainer, silently.",
        lambda limit: col("prompt_tokens") > limit,
        _against("prompt_tokens", "over"),
        takes=int,
        within=(1, 10_000_000),
        needs=("prompt_tokens",),
    ),
    Rule(
        "over_long_response",
        "A response of this many characters is a fault of its source, not an answer.",
        lambda limit: (
            pl.max_horizontal(col("chosen").str.len_chars(), col("rejected").str.len_chars())
            > limit
        ),
        lambda limit: pl.lit(f"over {limit} characters"),
        takes=int,
        within=(1, 1_000_000_000),
    ),
    Rule(
        "na_ratings",
        "A response without any numeric rating cannot be ranked.",
        lambda _: col("chosen_score").is_null() | col("rejected_score").is_null(),
        lambda _: pl.lit("no numeric rating"),
    ),
    Rule(
        "tie",
        "Equal scores name no winner.",
        lambda _: col("chosen_score") == col("rejected_score"),
        lambda _: pl.concat_str(pl.lit("both "), col("chosen_score").cast(pl.String)),
        scored=True,
    ),
    Rule(
        "low_margin",
        "A margin below the annotators' own noise is no preference.",
        lambda limit: col("chosen_score") - col("rejected_score") < limit,
        lambda limit: pl.concat_str(
            pl.lit("margin "),
            (col("chosen_score") - col("rejected_score")).cast(pl.String),
            pl.lit(f", under {limit}"),
        ),
        takes=float,
        within=(0.0, 1e6),
        scored=True,
    ),
    Rule(
        "label_contradicted",
        "The row's own flags or scores say the opposite of its label.",
        lambda _: pl.any_horizontal(_if_any("contradicted"), _against_scores()),
        lambda _: (
            pl.when(_against_scores())
            .then(pl.format("chosen_score {}, rejected_score {}", "chosen_score", "rejected_score"))
            .otherwise(pl.lit("the safer response is flagged unsafe, the other safe"))
        ),
    ),
    Rule(
        "unknown_label",
        "A label that names neither response, or a score that is no number, is no preference.",
        lambda _: pl.any_horizontal(~_if_any("label_known"), *_not_finite()),
        lambda _: pl.lit("the label names neither response, or a score is not a number"),
    ),
    Rule(
        "score_ratio",
        "SHP: only where the winner has strictly more than this many times the votes.",
        lambda limit: ~(col("_score_ratio") > limit),
        _against("_score_ratio", "not above"),
        threshold=2.0,
        takes=float,
        within=(1.0, 1e6),
        needs=("_score_ratio",),
    ),
    Rule(
        "status_tie",
        "Orca: the labelling model called it a tie.",
        lambda _: col("_status") == "tie",
        _value("_status"),
        needs=("_status",),
    ),
    Rule(
        "low_chosen_score",
        "Orca's card: the chosen response must itself be good.",
        lambda limit: col("chosen_score") < limit,
        _against("chosen_score", "under"),
        threshold=8.0,
        takes=float,
        within=(-1e6, 1e6),
        scored=True,
    ),
    Rule(
        "in_gsm8k_train",
        "Orca's card: the question is in GSM8K's training set.",
        lambda _: col("_in_gsm8k_train"),
        lambda _: pl.lit(""),
        needs=("_in_gsm8k_train",),
    ),
    Rule(
        "language",
        "Fewer Latin letters among all letters than this share: another language.",
        lambda share: _latin_share() < share,
        lambda share: pl.concat_str(
            pl.lit("Latin share "), _latin_share().round(3).cast(pl.String), pl.lit(f" < {share}")
        ),
        takes=float,
        within=(0.0, 1.0),
    ),
    Rule(
        "per_prompt_cap",
        "One prompt with many pairs would outweigh the others; the highest priority stays.",
        lambda cap: col("_place") >= cap,
        lambda cap: pl.lit(f"more than {cap} pairs of one prompt"),
        threshold=5,
        takes=int,
        within=(1, 1_000_000),
        window=True,
        ranks=True,
    ),
    Rule(
        "duplicate",
        "The same item was read before from this source.",
        lambda _: _copy(),
        lambda _: pl.concat_str(pl.lit("same id "), col("_key")),
        window=True,
    ),
    Rule(
        "duplicate_prompt",
        "The same prompt was read before.",
        lambda _: _copy(),
        lambda _: pl.concat_str(pl.lit("same id "), col("_key")),
        window=True,
    ),
)
RULES: dict[str, Rule] = {rule.name: rule for rule in _ALL}
