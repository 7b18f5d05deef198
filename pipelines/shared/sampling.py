"""Sampling responses into the generations table: what generate and evaluate share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from curation.core import ids, schema
from curation.core.errors import UserError
from pipelines.core.stage import Stage
from pipelines.shared import shards
from pipelines.shared.draws import Done, account
from pipelines.shared.orders import Order, Turn
from pipelines.shared.workers import Job
from training.engines.settings import Engine

if TYPE_CHECKING:
    from training.core.chat_template import ChatTemplate, Messages
    from training.engines.facts import Facts
    from training.engines.protocol import Request, Response, Sampler

_DRAWN: dict[str, Any] = {
    "prompt_id": pl.String,
    "sample": pl.Int64,
    "seed": pl.UInt64,
    "temperature": pl.Float64,
    "response": pl.String,
    "token_ids": pl.List(pl.Int64),
    "finish_reason": pl.String,
    "rule": pl.String,
    "detail": pl.String,
}


@dataclass(frozen=True)
class Given:
    """What every policy is given: prompts as token ids by prompt_id, and tokens to stop at."""

    order: Order
    template: ChatTemplate
    prompts: list[tuple[str, list[int]]]
    stop: list[int]


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
    whole = prompts.sort("prompt_id").select("prompt_id", "messages").iter_rows()
    barred, rows = _apart(template, whole)
    encoded = template.encode_many([messages for _, messages in rows], add_generation_prompt=True)
    pairs = [(row[0], tokens) for row, tokens in zip(rows, encoded, strict=True)]
    asked = Given(order, template, pairs, stop)
    taken = [_take(run, asked, turn, engine, shard) for turn in order.turns]
    room = min(room for _, room in taken)
    long = {name: len(tokens) for name, tokens in pairs if len(tokens) > room}
    why = {name: ("over_context", f"{n} tokens, room for {room}") for name, n in long.items()}
    fitting = pl.concat([made for made, _ in taken])
    if long:  # a policy with a longer context may have answered more of them
        fitting = fitting.filter(~pl.col("prompt_id").is_in(list(long)))
    return account(fitting, prompts, order, why | barred)


def _apart(
    template: ChatTemplate, rows: Iterable[tuple[str, Messages]]
) -> tuple[dict[str, tuple[str, str]], list[tuple[str, Messages]]]:
    """Prompts that spell a marker of turns, each with rule and detail, and the others."""
    barred, fit = {}, []
    for prompt_id, messages in rows:
        marker = template.marker_in(*(message["content"] for message in messages))
        if marker is None:
            fit.append((prompt_id, messages))
        else:
            barred[prompt_id] = ("control_tokens", marker)
    return barred, fit


def _stop_id(template: ChatTemplate, text: str, path: Path) -> int:
    tokens: list[int] = template.tokenizer.encode(text, add_special_tokens=False)
    if len(tokens) != 1:
        raise UserError(
            f"{path}: stop {text!r} is {len(tokens)} tokens of this tokenizer, and a stop must be "
            "one; give a token as the vocabulary writes it"
        )
    return tokens[0]


def _take(
    run: Stage, asked: Given, turn: Turn, engine: Engine, shard: int
) -> tuple[pl.DataFrame, int]:
    """One policy's responses as generations, and how many tokens a prompt may have."""
    from training.core import checkpoint, vocabulary
    from training.engines import facts

    order = asked.order
    sampler = facts.of(engine, turn.path)
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
        sorted(vocabulary.of(turn.path, asked.template.tokenizer, asked.template).ends),
        astuple(order),
        engine.identity(),
        sampler.version,
        fitting,
    ]
    job = Job(
        run.name,
        partial(_load, engine, turn.path, order.turns[0].path),
        partial(_draw, order, turn, asked.stop),
        gpus=engine.tensor_parallel,
        here=engine.name == "server",
    )
    drawn = shards.run(run, f"samples-{turn.policy}", key, fitting, shard, job=job)
    return _table(drawn, turn.policy, policy_sha, asked.template.sha, sampler), room


@dataclass(frozen=True)
class Loaded:
    """A policy that draws, and the template that reads what it draws."""

    sampler: Sampler
    template: ChatTemplate

    def close(self) -> None:
        """Give back the memory that the policy holds."""
        self.sampler.close()


def _load(engine: Engine, policy: Path, tokenizer: Path) -> Loaded:
    """The policy and its template, loaded where they are to work."""
    from training.core import environment

    environment.prepare()
    from training.core import checkpoint
    from training.core.chat_template import ChatTemplate
    from training.engines import choose

    template = ChatTemplate(checkpoint.load_tokenizer(tokenizer))
    return Loaded(choose.sampler(engine, policy), template)


def _draw(
    order: Order,
    turn: Turn,
    stop: Sequence[int],
    loaded: Loaded,
    items: Sequence[tuple[str, list[int]]],
) -> pl.DataFrame:
    requests = [_request(prompt_id, ids_, order, turn) for prompt_id, ids_ in items]
    drawn = loaded.sampler.sample(requests, order.max_new_tokens, stop, order.sampling)
    rows = [
        (prompt_id, number, draw.seed, draw.temperature, *_told(loaded.template, response))
        for (prompt_id, _), request, responses in zip(items, requests, drawn, strict=True)
        for number, (draw, response) in enumerate(
            zip(request.draws, responses, strict=True), start=turn.first
        )
    ]
    return pl.DataFrame(rows, schema=_DRAWN, orient="row")


def _told(template: ChatTemplate, response: Response) -> tuple[object, ...]:
    """The text without the token that ended it, the ids with it, why it ended, why it failed."""
    from training.core.vocabulary import Fault

    fault = response.fault
    text = template.decode(response.said)
    if fault is None and (marker := template.marker_in(text)) is not None:
        fault = Fault("control_token", f"spells {marker}, which begins or ends a turn")
    why = (None, None) if fault is None else (fault.rule, fault.detail)
    return text, response.token_ids, response.finish_reason, *why


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


def _table(
    drawn: pl.DataFrame, policy: str, policy_sha: str, template_sha: str, sampler: Facts
) -> pl.DataFrame:
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
        template_sha=pl.lit(template_sha),
    ).select(*schema.GENERATIONS.names, "rule", "detail")
