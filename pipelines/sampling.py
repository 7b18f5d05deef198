"""Sampling responses into the generations table: what generate and evaluate share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from curation import ids, schema
from curation.errors import UserError
from pipelines import shards
from pipelines.stage import Stage
from training.engines.choose import Engine

if TYPE_CHECKING:
    from training.chat_template import ChatTemplate
    from training.engines.protocol import Request, Response, Sampler

_DRAWN: dict[str, Any] = {
    "prompt_id": pl.String,
    "sample": pl.Int64,
    "seed": pl.UInt64,
    "temperature": pl.Float64,
    "response": pl.String,
    "token_ids": pl.List(pl.Int64),
    "finish_reason": pl.String,
}


@dataclass(frozen=True)
class Order:
    """What is to be sampled from every prompt."""

    stage: str
    policy: str
    n: int
    temperatures: tuple[float, ...]
    max_new_tokens: int
    seed: int


@dataclass(frozen=True)
class Done:
    """Responses, and the prompts that gave none."""

    generations: pl.DataFrame
    rejects: pl.DataFrame


def sample(run: Stage, order: Order, prompts: pl.DataFrame, engine: Engine, shard: int) -> Done:
    """Sample every prompt of a prompts table; `run.args.policy` is the checkpoint.

    Raises:
        UserError: no prompt gave a response.
    """
    from training import environment

    environment.prepare()
    from training import checkpoint
    from training.chat_template import ChatTemplate
    from training.engines import choose

    sampler = choose.sampler(engine, run.args.policy)
    template = ChatTemplate(checkpoint.load_tokenizer(run.args.policy))
    policy_sha = checkpoint.weights_sha(run.args.policy)
    rows = list(prompts.sort("prompt_id").select("prompt_id", "messages").iter_rows())
    encoded = template.encode_many([messages for _, messages in rows], add_generation_prompt=True)
    room = sampler.context - order.max_new_tokens
    fitting = [(row[0], x) for row, x in zip(rows, encoded, strict=True) if len(x) <= room]
    long = {row[0]: len(x) for row, x in zip(rows, encoded, strict=True) if len(x) > room}
    if not fitting:
        raise UserError(
            f"{run.args.prompts}: none of {len(rows)} prompts leaves room for "
            f"max_new_tokens {order.max_new_tokens} in a context of {sampler.context}"
        )
    key = [policy_sha, template.sha, astuple(order), astuple(engine), sampler.version, fitting]
    drawn = shards.run(
        run,
        "samples",
        key,
        fitting,
        shard,
        work=lambda items: _draw(sampler, template, order, items),
    )
    generations = _table(drawn, order, policy_sha, sampler)
    return _account(generations, prompts, order, long, room)


def _draw(
    sampler: Sampler, template: ChatTemplate, order: Order, items: Sequence[tuple[str, list[int]]]
) -> pl.DataFrame:
    requests = [_request(prompt_id, ids_, order) for prompt_id, ids_ in items]
    drawn = sampler.sample(requests, order.max_new_tokens)
    rows = [
        (prompt_id, number, draw.seed, draw.temperature, *_text(template, response))
        for (prompt_id, _), request, responses in zip(items, requests, drawn, strict=True)
        for number, (draw, response) in enumerate(zip(request.draws, responses, strict=True))
    ]
    return pl.DataFrame(rows, schema=_DRAWN, orient="row")


def _text(template: ChatTemplate, response: Response) -> tuple[str, list[int], str]:
    return template.decode(response.token_ids), response.token_ids, response.finish_reason


def _request(prompt_id: str, prompt: list[int], order: Order) -> Request:
    """One request: sample k has its own seed and the k-th temperature, in turn."""
    from training.engines.protocol import Draw, Request
    from training.seeds import sample_seed

    draws = tuple(
        Draw(
            sample_seed(order.seed, prompt_id, number),
            order.temperatures[number % len(order.temperatures)],
        )
        for number in range(order.n)
    )
    return Request(prompt, draws)


def _table(drawn: pl.DataFrame, order: Order, policy_sha: str, sampler: Sampler) -> pl.DataFrame:
    identity = pl.concat_str(
        "prompt_id", pl.lit(policy_sha), "sample", "temperature", separator="\x1f"
    )
    return drawn.with_columns(
        generation_id=ids.digest(identity),
        n_tokens=pl.col("token_ids").list.len().cast(pl.Int64),
        n_chars=pl.col("response").str.len_chars().cast(pl.Int64),
        policy=pl.lit(order.policy),
        policy_sha=pl.lit(policy_sha),
        engine=pl.lit(sampler.name),
        engine_version=pl.lit(sampler.version),
    ).select(schema.GENERATIONS.names)


def _account(
    generations: pl.DataFrame, prompts: pl.DataFrame, order: Order, long: dict[str, int], room: int
) -> Done:
    """Every prompt has its n responses or a reject with a rule."""
    said = generations.filter(pl.col("n_chars") > 0).select("prompt_id").unique()
    kept = generations.join(said, on="prompt_id", how="semi")
    silent = generations.join(said, on="prompt_id", how="anti")["prompt_id"].unique().to_list()
    why = dict.fromkeys(silent, ("no_response", f"all {order.n} responses are empty"))
    why |= {name: ("over_context", f"{n} tokens, room for {room}") for name, n in long.items()}
    lost = prompts.filter(pl.col("prompt_id").is_in(list(why)))
    if kept.is_empty() or kept["prompt_id"].n_unique() + lost.height != prompts.height:
        raise UserError(f"{order.stage}: {prompts.height} prompts gave {kept.height} responses")
    return Done(kept, _rejects(lost, order, why))


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
