"""The account of what was drawn: every draw is a response or in the ledger, and so every prompt."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import orjson
import polars as pl

from curation.core import schema
from curation.core.errors import UserError
from pipelines.shared.orders import Order
from training.engines.protocol import Sampling


@dataclass(frozen=True)
class Done:
    """Responses, and a ledger of the draws that failed and of the prompts that gave none.

    Attributes:
        draws: what was drawn; each is a response or in the ledger.
        lost: prompts that are in the ledger.
    """

    generations: pl.DataFrame
    rejects: pl.DataFrame
    draws: int
    lost: int
    sampling: Sampling

    def metrics(self) -> dict[str, Any]:
        """Counts of prompts and draws, how they were drawn, means of the responses."""
        prompts = self.generations["prompt_id"].n_unique() + self.lost
        failed = self.rejects.filter(pl.col("item_id").str.contains(":"))["rule"].value_counts()
        return {
            "rows_in": prompts,
            "kept": prompts - self.lost,
            "rejected": self.lost,
            "draws": self.draws,
            "failed_draws": dict(sorted(failed.iter_rows())),
            "sampling": asdict(self.sampling),
            **metrics(self.generations),
        }


def account(
    drawn: pl.DataFrame, prompts: pl.DataFrame, order: Order, unasked: dict[str, tuple[str, str]]
) -> Done:
    """Every prompt has responses or a reject with a rule, and so has every draw.

    Args:
        drawn: generations, with rule and detail of those that failed.
        prompts: what was to be asked.
        unasked: rule and detail of the prompts that no policy was given.

    Raises:
        UserError: no draw is a response with text.
    """
    usable = pl.col("rule").is_null()
    said = drawn.filter(usable, pl.col("n_chars") > 0).select("prompt_id").unique()
    answered = drawn.join(said, on="prompt_id", how="semi")
    silent = drawn.join(said, on="prompt_id", how="anti").with_columns(
        rule=pl.col("rule").fill_null("empty_response"),
        detail=pl.col("detail").fill_null("no text"),
    )
    kept = answered.filter(usable).select(schema.GENERATIONS.names)
    failed = pl.concat([answered.filter(~usable), silent])
    nothing = f"none of {order.draws} draws is a response with text"
    why = dict.fromkeys(silent["prompt_id"].unique(), ("no_response", nothing))
    why |= unasked
    lost = prompts.filter(pl.col("prompt_id").is_in(list(why)))
    if kept.is_empty() or kept["prompt_id"].n_unique() + lost.height != prompts.height:
        raise UserError(_nothing(order, prompts.height, kept.height, failed))
    sources = prompts.select("prompt_id", "source")
    rejects = pl.concat([_rejects(lost, order, why), _failures(failed, sources, order)])
    return Done(kept, rejects, drawn.height, lost.height, order.sampling)


def _nothing(order: Order, prompts: int, responses: int, failed: pl.DataFrame) -> str:
    line = f"{order.stage}: {prompts} prompts gave {responses} responses"
    if failed.is_empty():
        return line
    rule, detail = failed.sort("generation_id").select("rule", "detail").row(0)
    return f"{line}; {failed.height} draws failed, the first by rule {rule} ({detail})"


def _failures(failed: pl.DataFrame, sources: pl.DataFrame, order: Order) -> pl.DataFrame:
    """Draws that failed, as rejects: prompt:sample names each, the payload is the draw."""
    draw = ["generation_id", "prompt_id", "sample", "seed", "temperature", "policy"]
    payload = pl.struct(*draw, "response", "token_ids", "finish_reason").struct.json_encode()
    return (
        failed.join(sources, on="prompt_id")
        .select(
            pl.lit(order.stage).alias("stage"),
            pl.format("{}:{}", "prompt_id", "sample").alias("item_id"),
            "source",
            "rule",
            "detail",
            payload.alias("payload"),
        )
        .select(schema.REJECTS.names)
    )


def _rejects(lost: pl.DataFrame, order: Order, why: dict[str, tuple[str, str]]) -> pl.DataFrame:
    rows = [
        (order.stage, name, source, *why[name], orjson.dumps(messages).decode())
        for name, source, messages in lost.select("prompt_id", "source", "messages").iter_rows()
    ]
    return pl.DataFrame(rows, schema=schema.REJECTS.polars, orient="row")


def metrics(generations: pl.DataFrame) -> dict[str, Any]:
    """Counts and means of a generations table, for its metrics file."""
    per_prompt = generations.group_by("prompt_id").agg(distinct=pl.col("response").n_unique())
    return {
        "prompts": per_prompt.height,
        "responses": generations.height,
        "mean_chars": generations["n_chars"].mean(),
        "mean_tokens": generations["n_tokens"].mean(),
        "truncation_rate": (generations["finish_reason"] == "length").mean(),
        "distinct_per_prompt": per_prompt["distinct"].mean(),
    }
