"""Users' rows as rows of generations and scores, every row accounted for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import polars as pl

from curation.core import ids
from curation.core.schema import GENERATIONS, PROMPTS, REJECTS, SCORES

col = pl.col
Split = tuple[pl.DataFrame, pl.DataFrame]
Count = Callable[[pl.Expr], pl.Expr]


def generations(
    parsed: pl.DataFrame,
    pool: pl.DataFrame,
    policy: str,
    stage: str,
    tokens: Count | None,
    *,
    control: Sequence[str] = (),
) -> Split:
    """Generations of the pool's training prompts, and the rejects.

    Args:
        parsed: columns of `imports.PARSED`.
        pool: prompt_id and split of the prompts that may be answered.
        policy: name of the policy where a row gives none.
        tokens: counts the tokens of lists of texts; None leaves n_tokens 0.
        control: what begins and ends turns in the recipe's chat template.

    Returns:
        Rows of the generations table, and of the rejects table: unknown_prompt, held_out_prompt,
        control_tokens, duplicate_response, duplicate_sample (another response has its place).
    """
    named = parsed.with_columns(
        prompt_id=ids.prompt_id(col("messages")), policy=col("policy").fill_null(policy)
    ).join(pool.select("prompt_id", "split"), on="prompt_id", how="left")
    known = named.with_columns(generation_id=ids.digest(_identity()))
    judged = known.with_columns(**_verdict(_spelled(control)))
    kept = judged.filter(col("rule").is_null())
    return _as_generations(kept, tokens), _rejects(judged, stage)


def _identity() -> pl.Expr:
    """What makes two imported responses one."""
    return pl.concat_str(
        pl.lit("imported"),
        "prompt_id",
        "policy",
        col("sample").cast(pl.String).fill_null(""),
        col("temperature").cast(pl.String).fill_null(""),
        "response",
        separator="\x1f",
    )


def _verdict(spelled: pl.Expr) -> dict[str, pl.Expr]:
    """Rule and detail of each response, null where it may be kept."""
    again = col("item").rank("ordinal").over("generation_id") > 1
    place = ["prompt_id", "policy", "sample", "temperature"]
    taken = col("item").rank("ordinal").over([*place, again]) > 1
    rule = (
        pl.when(col("split").is_null())
        .then(pl.lit("unknown_prompt"))
        .when(col("split") != "train")
        .then(pl.lit("held_out_prompt"))
        .when(spelled.is_not_null())
        .then(pl.lit("control_tokens"))
        .when(again)
        .then(pl.lit("duplicate_response"))
        .when(col("sample").is_not_null() & taken)
        .then(pl.lit("duplicate_sample"))
    )
    told = pl.format("prompt {}, response {}", "prompt_id", "generation_id")
    return {"rule": rule, "detail": pl.coalesce(spelled, told)}


def _spelled(control: Sequence[str]) -> pl.Expr:
    """The first of these texts that a row's prompt or response holds."""
    if not control:
        return pl.lit(None, dtype=pl.String)
    asked = col("messages").list.eval(pl.element().struct.field("content")).list.join("\n")
    whole = pl.concat_str(asked, "response", separator="\n")
    return whole.str.extract_many(list(control)).list.first()


def _as_generations(kept: pl.DataFrame, tokens: Count | None) -> pl.DataFrame:
    counted = pl.lit(0) if tokens is None else tokens(pl.concat_list("response"))
    return kept.with_columns(
        sample=pl.coalesce("sample", col("generation_id").rank("ordinal").over("prompt_id") - 1),
        token_ids=pl.lit([], dtype=pl.List(pl.Int64)),
        n_tokens=counted.cast(pl.Int64),
        n_chars=col("response").str.len_chars().cast(pl.Int64),
        seed=pl.lit(None, dtype=pl.UInt64),
        policy_sha=pl.lit("unknown"),
        engine=pl.lit("imported"),
        engine_version=pl.lit("unknown"),
        template_sha=pl.lit(None, dtype=pl.String),
    ).select(GENERATIONS.names)


def prompts(parsed: pl.DataFrame, tokens: Count | None) -> pl.DataFrame:
    """A prompts table of the file's own prompts, all for training, without a map."""
    own = parsed.select("messages", prompt_id=ids.prompt_id(col("messages"))).unique("prompt_id")
    contents = col("messages").list.eval(pl.element().struct.field("content"))
    counted = pl.lit(None) if tokens is None else tokens(contents)
    return own.with_columns(
        source=pl.lit("imported"),
        source_row=col("prompt_id"),
        n_chars=contents.list.eval(pl.element().str.len_chars()).list.sum().cast(pl.Int64),
        n_tokens=counted.cast(pl.Int64),
        license=pl.lit("unknown"),
        bucket=ids.unit(col("prompt_id"), 0, "imported"),
        split=pl.lit("train"),
        map_x=pl.lit(0.0),
        map_y=pl.lit(0.0),
        cluster=pl.lit(0, dtype=pl.Int64),
    ).select(PROMPTS.names)


def scores(parsed: pl.DataFrame, table: pl.DataFrame, judge: tuple[str, str], stage: str) -> Split:
    """One judge's scores of every response of a generations table, and the rejects.

    A row finds its response by generation_id, or by prompt, text and (where it gives one) policy;
    a text that several responses share is judged once for all. A response without a row gets a
    null reward with the reason.

    Args:
        judge: its name, and the hash of the file that speaks for it.

    Returns:
        Rows of the scores table, and of the rejects table: unknown_response, duplicate_score,
        conflicting_score.
    """
    found = _found(parsed, table)
    several = col("generation_id").is_not_null() & (pl.len().over("generation_id") > 1)
    alike = col("reward").eq_missing(col("reward").first()).all().over("generation_id")
    first = col("item").rank("ordinal").over("generation_id") == 1
    judged = found.with_columns(
        rule=pl.when(col("generation_id").is_null())
        .then(pl.lit("unknown_response"))
        .when(several & ~alike)
        .then(pl.lit("conflicting_score"))
        .when(several & ~first)
        .then(pl.lit("duplicate_score")),
        detail=pl.format("reward {} of {}", _told("reward"), _told("generation_id")),
    )
    lost = parsed.height - judged["item"].n_unique()
    if lost:
        raise AssertionError(f"{stage}: {lost} of {parsed.height} rows neither kept nor rejected")
    kept = judged.filter(col("rule").is_null()).select("generation_id", "reward", "reason")
    whole = table.select("generation_id").join(
        kept.with_columns(told=True), on="generation_id", how="left"
    )
    silent = pl.when(col("told").is_null()).then(pl.lit("no usable score in the file"))
    rows = whole.with_columns(
        judge=pl.lit(judge[0]),
        reason=pl.coalesce("reason", silent),
        judge_sha=pl.lit(judge[1]),
        template_sha=pl.lit("none"),
        dtype=pl.lit("float64"),
    ).select(SCORES.names)
    return rows, _rejects(judged, stage)


def _told(name: str) -> pl.Expr:
    return col(name).cast(pl.String).fill_null("none")


def _found(parsed: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """Every row with the generation_id of each response it judges; null where there is none."""
    by_id = parsed.filter(col("generation_id").is_not_null())
    known = table.select("generation_id", known=True)
    direct = by_id.join(known, on="generation_id", how="left").with_columns(
        generation_id=pl.when("known").then("generation_id")
    )
    by_text = (
        parsed.filter(col("generation_id").is_null())
        .drop("generation_id")
        .with_columns(prompt_id=ids.prompt_id(col("messages")))
    )
    wanted = ["item", "generation_id", "messages", "response", "policy", "reward", "reason"]
    parts = [direct, *_by_text(by_text, table)]
    return pl.concat([part.select(wanted) for part in parts])


def _by_text(rows: pl.DataFrame, table: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Rows with the responses of their text: the one in their place of the list, else all."""
    texts = table.select("generation_id", "prompt_id", "response", "policy", "sample")
    for named in (True, False):
        some = rows.filter(col("policy").is_not_null() == named)
        on = ["prompt_id", "response", *["policy"] * named]
        placed = some.join(texts.drop([] if named else "policy"), on=[*on, "sample"], how="left")
        alone = placed["item"].is_unique() & placed["generation_id"].is_not_null()
        yield placed.filter(alone)
        rest = some.join(placed.filter(alone), on="item", how="anti")
        yield rest.join(texts.drop("sample", *[] if named else ["policy"]), on=on, how="left")


def _rejects(judged: pl.DataFrame, stage: str) -> pl.DataFrame:
    """The rows that a rule dropped, as rejects; one that judged several responses is one."""
    fields = ["messages", "response", "policy", "reward"]
    return (
        judged.filter(col("rule").is_not_null())
        .unique("item")
        .select(
            stage=pl.lit(stage),
            item_id="item",
            source=pl.lit("imported"),
            rule="rule",
            detail="detail",
            payload=pl.struct(fields).struct.json_encode(),
        )
        .select(REJECTS.names)
    )
