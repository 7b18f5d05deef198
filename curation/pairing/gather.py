"""Texts joined to chosen candidates by id, the pair rules, and the rows that become pairs."""

from __future__ import annotations

import polars as pl

from curation import ids
from curation.core.errors import UserError
from curation.core.ordered import PART, batches
from curation.pairing.overrides import FLIPPED, KEPT, override
from curation.pairing.rules import Rules
from curation.schema import MESSAGES, PAIRS

SMALL_MARGIN = 0.4  # under Bradley-Terry such a label would be the other way round 40% of the time
TEXTS = 8 * PART  # responses whose texts are read at once
LENGTH_GAP = 2  # one side more than this many times as long as the other


def with_texts(
    candidates: pl.DataFrame, generations: pl.LazyFrame, prompts: pl.LazyFrame
) -> pl.DataFrame:
    """Add source, prompt (messages), chosen and rejected (text) and pair_id to candidates.

    Raises:
        UserError: a prompt of the generations is not in the prompts table.
    """
    names = pl.concat([candidates["chosen_id"], candidates["rejected_id"]])
    sides = names.to_frame("generation_id")
    said = _found(sides, "generation_id", _texts(sides, generations))["response"]
    pool = _found(candidates, "prompt_id", _pool(candidates, prompts))
    joined = candidates.hstack(
        [
            *pool.get_columns(),
            said.head(candidates.height).alias("chosen"),
            said.slice(candidates.height).alias("rejected"),
        ]
    )
    # the prompt's part of the id is made once per prompt
    key = ids.pair_digest(pl.col("canonical"), pl.col("chosen"), pl.col("rejected"))
    return joined.with_columns(pair_id=key).drop("canonical")


def _found(candidates: pl.DataFrame, key: str, table: pl.DataFrame) -> pl.DataFrame:
    """The table's other columns for each candidate's key, in the order of the candidates."""
    joined = candidates.select(key).join(table, on=key, how="left", maintain_order="left")
    return joined.drop(key)


def _texts(sides: pl.DataFrame, generations: pl.LazyFrame) -> pl.DataFrame:
    """Ids and texts of the responses named, read some row groups at a time."""
    wanted = sides["generation_id"]
    columns = generations.select("generation_id", "response")
    return pl.concat(_wanted(batch, wanted) for batch in batches(columns, TEXTS))


def _wanted(batch: pl.DataFrame, wanted: pl.Series) -> pl.DataFrame:
    """The wanted rows of a batch, without the memory of the others.

    Polars' strings are views into the buffers they came from; through Arrow's own they are copied.
    """
    ids = batch["generation_id"]
    near = wanted.filter(wanted.is_between(ids.min(), ids.max())).to_frame()
    found = batch.join(near, on="generation_id", how="semi", maintain_order="left")
    return pl.DataFrame(pl.from_arrow(found.to_arrow(compat_level=pl.CompatLevel.oldest())))


def _pool(candidates: pl.DataFrame, prompts: pl.LazyFrame) -> pl.DataFrame:
    keys = candidates.select(pl.col("prompt_id").unique())
    columns = prompts.select("prompt_id", "source", prompt="messages")
    found = columns.join(keys.lazy(), on="prompt_id", how="semi").collect(engine="streaming")
    if found.height < keys.height:
        lost = keys.join(found, on="prompt_id", how="anti")["prompt_id"].sort()
        raise UserError(
            f"prompts: lacks {lost.len()} prompts of the generations, first {lost[0]}; "
            "pass the prompts table they were sampled from"
        )
    return found.with_columns(canonical=ids.canonical(pl.col("prompt")))


def judged_by_rules(
    texts: pl.DataFrame, rules: Rules, verdicts: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Add rule, detail (null where the pair stands) and review to candidates with texts.

    The first rule that applies names the reject: identical_text, tie, min_margin, then
    review_drop where people said so, then duplicate_pair for a pair that another candidate already
    is (equal texts, other ids). Candidates that people turned round are turned round here.

    Args:
        texts: result of `with_texts`.
        rules: the parameters of the pairing.
        verdicts: what people settled, as `curation.review.decisions.settled` gives it.
    """
    same = pl.col("chosen") == pl.col("rejected")
    narrow = pl.col("margin") < rules.min_margin
    first = texts.with_columns(
        rule=pl.when(same)
        .then(pl.lit("identical_text"))
        .when(pl.col("margin") <= 0)
        .then(pl.lit("tie"))
        .when(narrow)
        .then(pl.lit("min_margin")),
        detail=pl.when(same)
        .then(pl.lit("chosen and rejected are the same text"))
        .when(pl.col("margin") <= 0)
        .then(pl.format("both {}", "chosen_adjusted"))
        .when(narrow)
        .then(pl.format("margin {} under {}", "margin", pl.lit(rules.min_margin))),
    )
    return _unique(override(first, verdicts))


def _unique(frame: pl.DataFrame) -> pl.DataFrame:
    """Name duplicate_pair every candidate whose pair an earlier place of the prompt already is."""
    if frame["place"].max() in (0, None):
        return frame
    order = ["place", "chosen_id", "rejected_id"]
    nth = pl.when(pl.col("rule").is_null()).then(1).cum_sum().over("pair_id", order_by=order)
    again = pl.col("rule").is_null() & (pl.col("nth") > 1)
    told = pl.format("the same texts as another candidate of the prompt: {}", "pair_id")
    return frame.with_columns(nth=nth).with_columns(
        rule=pl.when(again).then(pl.lit("duplicate_pair")).otherwise("rule"),
        detail=pl.when(again).then(told).otherwise("detail"),
    )


def as_pairs(kept: pl.DataFrame, iteration: str, rules: Rules) -> pl.DataFrame:
    """Candidates that stand as rows of the pairs table."""
    made = {"iteration": pl.lit(iteration), "strategy": pl.lit(rules.strategy)}
    sides = {side: _message(side) for side in ("chosen", "rejected")}
    return kept.with_columns(flags(kept), **made, **sides).select(PAIRS.names)


def _message(name: str) -> pl.Expr:
    struct = pl.struct(role=pl.lit("assistant"), content=pl.col(name))
    return pl.concat_list(struct).cast(MESSAGES)


def flags(kept: pl.DataFrame) -> pl.Series:
    """Oddities of a pair worth a look, and what people said of it, sorted: they drop nothing.

    Each row's marks as one number look its list up in a table of all of them: ten times as fast
    as a list made per row.
    """
    turned = pl.col("review").eq_missing(FLIPPED)
    raw = pl.col("chosen_reward") - pl.col("rejected_reward")
    longer = pl.max_horizontal("chosen_chars", "rejected_chars")
    shorter = pl.min_horizontal("chosen_chars", "rejected_chars")
    marks = {
        "length_gap": longer > LENGTH_GAP * shorter,
        "penalty_flipped": pl.when(turned).then(-raw).otherwise(raw) < 0,
        "review_accepted": pl.col("review") == KEPT,
        "review_flipped": turned,
        "small_margin": pl.col("margin").abs() < SMALL_MARGIN,
        "truncated_chosen": pl.col("chosen_finish") == "length",
        "truncated_rejected": pl.col("rejected_finish") == "length",
    }
    bits = [test.cast(pl.UInt32) * 2**place for place, test in enumerate(marks.values())]
    table = [
        [name for place, name in enumerate(marks) if code & 2**place]
        for code in range(2 ** len(marks))
    ]
    codes = kept.select(pl.sum_horizontal(bits)).to_series()
    return pl.Series("flags", table, dtype=pl.List(pl.String)).gather(codes)
