"""Sets with several rated or ranked responses per prompt, and scored pairs."""

from __future__ import annotations

import polars as pl

from curation.core import messages
from curation.core.schema import MESSAGES
from curation.sources.base import (
    MODEL_COLUMNS,
    MODELS,
    SIDES,
    Format,
    Layout,
    Options,
    asked,
    candidates,
    ordered,
    user_or_list,
    whole_lists,
)

col = pl.col
ASPECTS = ("instruction_following", "honesty", "truthfulness", "helpfulness")


def _helpsteer(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    """All pairs of one prompt's responses; source_row names both rows, "better+worse"."""
    score = pl.mean_horizontal("helpfulness", "correctness")
    rows = native.select("source_row", "prompt", "response", score.alias("score"))
    two = rows.join(rows, on="prompt", suffix="_b").filter(
        # each pair once: the better first, and at equal scores the lower id first
        (col("score") > col("score_b"))
        | ((col("score") == col("score_b")) & (col("source_row") < col("source_row_b")))
    )
    return candidates(
        two,
        source_row=pl.concat_str("source_row", "source_row_b", separator="+"),
        prompt=messages.marked(col("prompt")),
        chosen=col("response"),
        rejected=col("response_b"),
        chosen_score=col("score"),
        rejected_score=col("score_b"),
    )


HELPSTEER = Format(
    "helpsteer",
    "preference",
    (
        Layout(
            {
                "prompt": pl.String,
                "response": pl.String,
                "helpfulness": pl.Int64,
                "correctness": pl.Int64,
            },
            _helpsteer,
            {"coherence": pl.Int64, "complexity": pl.Int64, "verbosity": pl.Int64},
            one_to_one=False,
            pairs_rows=True,
        ),
    ),
)

_RATING = pl.Struct({"Rating": pl.String})
_COMPLETION = pl.Struct(
    {
        "model": pl.String,
        "response": pl.String,
        "annotations": pl.Struct(dict.fromkeys(ASPECTS, _RATING)),
        "fine-grained_score": pl.Float64,
    }
)


def _rating(answer: pl.Expr, aspect: str) -> pl.Expr:
    """A rating as a number; "N/A" and whatever is no number is null, never a default."""
    text = answer.struct.field("annotations").struct.field(aspect).struct.field("Rating")
    number = text.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)  # "nan" and "inf" are numbers to a parser


def _ultrafeedback(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    """All pairs of a row's completions by the mean of the numeric ratings.

    ``overall_score`` is not used: about 2K published rows say 10 where 1 was meant.
    """
    answer = col("completions")
    rated = pl.mean_horizontal(*(_rating(answer, aspect) for aspect in ASPECTS))
    score = pl.coalesce(rated, answer.struct.field("fine-grained_score"))
    rows = (
        native.select(
            "source_row",
            "instruction",
            "completions",
            pl.int_ranges(0, col("completions").list.len()).alias("index"),
        )
        .explode("completions", "index")
        .select(
            "source_row",
            "instruction",
            "index",
            answer.struct.field("response").alias("response"),
            answer.struct.field("model").alias("model"),
            score.alias("score"),
        )
    )
    return _pairs_of(rows, "instruction", messages.user(col("instruction")))


def _pairs_of(rows: pl.LazyFrame, text: str, prompt: pl.Expr) -> pl.LazyFrame:
    """All pairs of responses of one native row, the better first; equal or unknown: lower index."""
    two = rows.join(rows.drop(text), on="source_row", suffix="_b").filter(
        col("index") < col("index_b")
    )
    first_wins = ~(col("score_b") > col("score")).fill_null(False)
    return candidates(
        two,
        item=pl.concat_str("index", "index_b", separator="-"),
        prompt=prompt,
        **ordered(col("response"), col("response_b"), first_wins),
        _label_known=col("score").is_not_null() & col("score_b").is_not_null(),
        chosen_score=pl.when(first_wins).then(col("score")).otherwise(col("score_b")),
        rejected_score=pl.when(first_wins).then(col("score_b")).otherwise(col("score")),
        chosen_model=pl.when(first_wins).then("model").otherwise("model_b"),
        rejected_model=pl.when(first_wins).then("model_b").otherwise("model"),
    )


ULTRAFEEDBACK = Format(
    "ultrafeedback",
    "preference",
    (
        Layout(
            {"instruction": pl.String, "completions": pl.List(_COMPLETION)},
            _ultrafeedback,
            {"source": pl.String},
            one_to_one=False,
            loose=frozenset({"completions"}),  # ratings are texts, in some copies numbers
        ),
    ),
)


_NO_MODEL = pl.lit(None, dtype=pl.String)


def _scored_lists(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    """All pairs of a row's responses by their scores; lists of unequal length say of no score."""
    alike = col("responses").list.len() == col("scores").list.len()
    index = pl.int_ranges(0, col("responses").list.len())
    asks = asked(native, "prompt")
    rows = (
        native.select(
            "source_row",
            asks.alias("prompt"),
            "responses",
            index.alias("index"),
            pl.when(alike).then("scores").alias("scores"),
        )
        .explode("responses", "index")
        .with_columns(col("scores").list.get(col("index"), null_on_oob=True))
        .select(
            "source_row", "prompt", "index", response="responses", model=_NO_MODEL, score="scores"
        )
    )
    return _pairs_of(rows, "prompt", col("prompt"))


SCORED_LISTS = Format(
    "scored_lists",
    "preference",
    tuple(
        Layout(
            {"prompt": dtype, "responses": pl.List(pl.String), "scores": pl.List(pl.Float64)},
            _scored_lists,
            sides=SIDES,
            one_to_one=False,
        )
        for dtype in (pl.String(), MESSAGES)
    ),
)


def _binarized_lists(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    return candidates(
        native,
        **whole_lists(col("chosen"), col("rejected")),
        chosen_score=col("score_chosen"),
        rejected_score=col("score_rejected"),
        **MODEL_COLUMNS,
    )


def _binarized_strings(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    return candidates(
        native,
        prompt=user_or_list("prompt"),
        chosen=col("chosen"),
        rejected=col("rejected"),
        chosen_score=col("metadata").struct.field("score_chosen"),
        rejected_score=col("metadata").struct.field("score_rejected"),
    )


_SCORES = {"score_chosen": pl.Float64, "score_rejected": pl.Float64}
ULTRAFEEDBACK_BINARIZED = Format(
    "ultrafeedback_binarized",
    "preference",
    (
        Layout(
            {"chosen": MESSAGES, "rejected": MESSAGES, **_SCORES}, _binarized_lists, sides=MODELS
        ),
        Layout(
            {
                "prompt": pl.String,
                "chosen": pl.String,
                "rejected": pl.String,
                "metadata": pl.Struct(_SCORES),
            },
            _binarized_strings,
        ),
    ),
)

_ANSWER = pl.Struct({"answer": pl.String, "model": pl.String, "rank": pl.Float64})


def _nectar(native: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """The answer of rank 1 against every worse one, or against one picked by ``options.against``.

    Scores are negated ranks, so the margin says how many ranks lie between.
    """
    answer = col("answers").struct
    rows = (
        native.select(
            "source_row",
            "prompt",
            "answers",
            pl.int_ranges(0, col("answers").list.len()).alias("index"),
        )
        .explode("answers", "index")
        .select(
            "source_row",
            "prompt",
            "index",
            answer.field("answer").alias("answer"),
            answer.field("model").alias("model"),
            answer.field("rank").alias("rank"),
        )
    )
    best = (
        rows.filter(col("rank") == 1)
        .sort("index")
        .unique("source_row", keep="first", maintain_order=True)
    )
    two = best.join(rows.drop("prompt"), on="source_row", suffix="_b").filter(
        col("index") != col("index_b")
    )
    if options.get("against", "all") == "worst":
        two = two.filter(col("rank_b") == col("rank_b").max().over("source_row"))
    context = messages.transcript(col("prompt").str.strip_chars_end().str.strip_suffix(_OPEN))
    return candidates(
        two,
        item=_rank_item(),
        prompt=context,
        chosen=col("answer"),
        rejected=col("answer_b"),
        chosen_score=-col("rank"),
        rejected_score=-col("rank_b"),
        chosen_model=col("model"),
        rejected_model=col("model_b"),
        _label_known=col("rank_b").is_not_null(),
    )


def _rank_item() -> pl.Expr:
    """The worse answer's rank, and its place in the row where others have the same rank or none."""
    rank = col("rank_b").cast(pl.Int64).cast(pl.String)
    alone = (pl.len().over("source_row", "rank_b") == 1) & (col("rank_b") % 1 == 0)
    both = pl.format("{}-{}", rank.fill_null("none"), "index_b")
    return pl.when(alone.fill_null(False)).then(rank).otherwise(both)


_OPEN = "\n\nAssistant:"
NECTAR = Format(
    "nectar",
    "preference",
    (
        Layout(
            {"prompt": pl.String, "answers": pl.List(_ANSWER)},
            _nectar,
            {"turns": pl.Int64, "good_natured": pl.Boolean},
            one_to_one=False,
        ),
    ),
    frozenset({"against"}),
)
