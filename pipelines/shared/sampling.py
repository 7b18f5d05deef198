"""Sampling responses into the generations table: what generate and evaluate share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from curation.core import ids, schema
from curation.core.errors import UserError
from pipelines.core.stage import Stage
from pipelines.shared import shards
from training.engines.settings import Engine

if TYPE_CHECKING:
    from training.core.chat_template import ChatTemplate
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
    """What is to be sampled from every prompt.

    Attributes:
        turns: the policies that answer, the first one's tokenizer encodes the prompts.
        stop: texts of one token each that end a response, beside the template's own end.
        recipe: file that states all this, named in errors.
        pool: file that the prompts are from, named in errors.
    """

    stage: str
    turns: tuple[Turn, ...]
    temperatures: tuple[float, ...]
    max_new_tokens: int
    seed: int
    recipe: Path
    pool: Path
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Turn:
    """One policy's part of an order: its n responses to a prompt are numbered from `first`."""

    policy: str
    path: Path
    n: int
    first: int = 0


@dataclass(frozen=True)
class Asked:
    """What every policy is given: prompts as token ids by prompt_id, and tokens to stop at."""

    order: Order
    template: ChatTemplate
    prompts: list[tuple[str, list[int]]]
    stop: list[int]


@dataclass(frozen=True)
class Done:
    """Responses, and the prompts that gave none."""

    generations: pl.DataFrame
    rejects: pl.DataFrame


def sample(run: Stage, order: Order, prompts: pl.DataFrame, engine: Engine, shard: int) -> Done:
    """Sample every prompt of a prompts table.

    Raises:
        UserError: no prompt gave a response, or a stop text is not one token.
    """
    from training.core import environment

    environment.prepare()
    from training.core import checkpoint
    from training.core.chat_template import ChatTemplate

    template = ChatTemplate(checkpoint.load_tokenizer(order.turns[0].path))
    stop = [_stop_id(template, text, order.recipe) for text in order.stop]
    rows = list(prompts.sort("prompt_id").select("prompt_id", "messages").iter_rows())
    encoded = template.encode_many([messages for _, messages in rows], add_generation_prompt=True)
    pairs = [(row[0], tokens) for row, tokens in zip(rows, encoded, strict=True)]
    asked = Asked(order, template, pairs, stop)
    taken = [_take(run, asked, turn, engine, shard) for turn in order.turns]
    room = min(room for _, room in taken)
    long = {name: len(tokens) for name, tokens in pairs if len(tokens) > room}
    fitting = pl.concat([made for made, _ in taken])
    if long:  # a policy with a longer context may have answered more of them
        fitting = fitting.filter(~pl.col("prompt_id").is_in(list(long)))
    return _account(fitting, prompts, order, long, room)


def _stop_id(template: ChatTemplate, text: str, path: Path) -> int:
    tokens: list[int] = template.tokenizer.encode(text, add_special_tokens=False)
    if len(tokens) != 1:
        raise UserError(
            f"{path}: stop {text!r} is {len(tokens)} tokens of this tokenizer, and a stop must be "
            "one; give a token as the vocabulary writes it"
        )
    return tokens[0]


def _take(
    run: Stage, asked: Asked, turn: Turn, engine: Engine, shard: int
) -> tuple[pl.DataFrame, int]:
    """One policy's responses as generations, and how many tokens a prompt may have."""
    from training.core import checkpoint
    from training.engines import choose

    order = asked.order
    sampler = choose.sampler(engine, turn.path)
    policy_sha = checkpoint.weights_sha(turn.path)
    room = sampler.context - order.max_new_tokens
    fitting = [item for item in asked.prompts if len(item[1]) <= room]
    if not fitting:
        raise UserError(
            f"{order.pool}: none of {len(asked.prompts)} prompts leaves room for "
            f"max_new_tokens {order.max_new_tokens} in a context of {sampler.context}"
        )
    key = [
        policy_sha,
        asked.template.sha,
        astuple(order),
        engine.identity(),
        sampler.version,
        fitting,
    ]
    drawn = shards.run(
        run,
        f"samples-{turn.policy}",
        key,
        fitting,
        shard,
        work=lambda items: _draw(sampler, asked, turn, items),
    )
    sampler.close()
    return _table(drawn, turn.policy, policy_sha, sampler), room


def _draw(
    sampler: Sampler, asked: Asked, turn: Turn, items: Sequence[tuple[str, list[int]]]
) -> pl.DataFrame:
    requests = [_request(prompt_id, ids_, asked.order, turn) for prompt_id, ids_ in items]
    drawn = sampler.sample(requests, asked.order.max_new_tokens, asked.stop)
    rows = [
        (prompt_id, number, draw.seed, draw.temperature, *_text(asked, response))
        for (prompt_id, _), request, responses in zip(items, requests, drawn, strict=True)
        for number, (draw, response) in enumerate(
            zip(request.draws, responses, strict=True), start=turn.first
        )
    ]
    return pl.DataFrame(rows, schema=_DRAWN, orient="row")


def _text(asked: Asked, response: Response) -> tuple[str, list[int], str]:
    """The text without the stop token that ended it, the token ids with it, and why it ended."""
    ids_ = response.token_ids
    said = ids_[:-1] if ids_ and ids_[-1] in asked.stop else ids_
    return asked.template.decode(said), ids_, response.finish_reason


def _request(prompt_id: str, prompt: list[int], order: Order, turn: Turn) -> Request:
    """One request: sample k of a policy has its own seed and the k-th temperature, in turn."""
    from training.core.seeds import sample_seed
    from training.engines.protocol import Draw, Request

    further = None if turn.first == 0 else turn.policy
    draws = tuple(
        Draw(
            sample_seed(order.seed, prompt_id, number, further),
            order.temperatures[number % len(order.temperatures)],
        )
        for number in range(turn.n)
    )
    return Request(prompt, draws)


def _table(drawn: pl.DataFrame, policy: str, policy_sha: str, sampler: Sampler) -> pl.DataFrame:
    identity = pl.concat_str(
        "prompt_id", pl.lit(policy_sha), "sample", "temperature", separator="\x1f"
    )
    return drawn.with_columns(
        generation_id=ids.digest(identity),
        n_tokens=pl.col("token_ids").list.len().cast(pl.Int64),
        n_chars=pl.col("response").str.len_chars().cast(pl.Int64),
        policy=pl.lit(policy),
        policy_sha=pl.lit(policy_sha),
        engine=pl.lit(sampler.name),
        engine_version=pl.lit(sampler.version),
    ).select(schema.GENERATIONS.names)


def _account(
    generations: pl.DataFrame, prompts: pl.DataFrame, order: Order, long: dict[str, int], room: int
) -> Done:
    """Every prompt has its responses or a reject with a rule."""
    n = sum(turn.n for turn in order.turns)
    said = generations.filter(pl.col("n_chars") > 0).select("prompt_id").unique()
    kept = generations.join(said, on="prompt_id", how="semi")
    silent = generations.join(said, on="prompt_id", how="anti")["prompt_id"].unique().to_list()
    why = dict.fromkeys(silent, ("no_response", f"all {n} responses are empty"))
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
