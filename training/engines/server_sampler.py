"""The server engine: responses drawn from a policy that an OpenAI-compatible endpoint serves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from training.core import checkpoint
from training.core.chat_template import ChatTemplate
from training.engines.endpoint import Client, Endpoint, Failure
from training.engines.protocol import Draw, Request, Response

_SEEDS = (1 << 63) - 1  # the protocol's seeds are signed


class ServerSampler:
    """Draws responses over HTTP, one request each: every response has a seed of its own.

    Args:
        path: the policy's checkpoint: its tokenizer reads and writes the texts.
        endpoint: where it is served, under the name that `endpoint.model` gives.

    Raises:
        UserError: the endpoint is not there, or serves another model.
    """

    name = "server"

    def __init__(self, path: Path, endpoint: Endpoint) -> None:
        tokenizer = checkpoint.load_tokenizer(path)
        self._tokenizer = tokenizer
        self._template = ChatTemplate(tokenizer)
        self._ends = sorted({int(tokenizer.eos_token_id), self._template.end_id})
        model = endpoint.model.replace("{policy}", path.name)
        self._client = Client(replace(endpoint, model=model))
        served = self._client.served(model)
        self.version = self._client.version()
        self.context = int(served.get("max_model_len") or _context(path))

    def sample(
        self, requests: Sequence[Request], max_new_tokens: int, stop: Sequence[int] = ()
    ) -> list[list[Response]]:
        """Responses per request, in the order of its draws; `stop` adds tokens that end one.

        Raises:
            UserError: a request failed after all its retries.
        """
        shared = {"max_tokens": max_new_tokens, **self._ending(sorted({*self._ends, *stop}))}
        calls = [{**self._call(r.prompt, draw), **shared} for r in requests for draw in r.draws]
        answers = self._client.completions(calls)
        failed = [one.reason for one in answers if isinstance(one, Failure)]
        if failed:
            raise UserError(
                f"{self._client.endpoint.url}: {len(failed)} of {len(answers)} requests failed, "
                f"the first with: {failed[0]}; run again: finished shards are kept"
            )
        drawn = iter(answers)
        return [[self._response(next(drawn)) for _ in request.draws] for request in requests]

    def close(self) -> None:
        """Nothing of the model is held here."""

    def _call(self, prompt: list[int], draw: Draw) -> dict[str, Any]:
        return {
            "model": self._client.endpoint.model,
            "prompt": self._prompt(prompt),
            "temperature": draw.temperature,
            "seed": draw.seed & _SEEDS,
        }

    def _prompt(self, ids: list[int]) -> list[int] | str:
        if self._client.endpoint.prompts == "tokens":
            return ids
        # a tokenizer that adds BOS to a string adds it on the server too: one is enough
        added = self._tokenizer("").input_ids[:1]
        own = ids[1:] if added and ids[:1] == added else ids
        return str(self._tokenizer.decode(own, skip_special_tokens=False))

    def _ending(self, ends: list[int]) -> dict[str, Any]:
        """Where to stop: by token id where the server knows ids, and then it returns them too."""
        if self._client.endpoint.prompts == "text":
            return {"stop": [str(self._tokenizer.decode([end])) for end in ends]}
        return {"extra_body": {"stop_token_ids": ends, "return_token_ids": True}}

    def _response(self, choice: Any) -> Response:
        """Token ids as the server gives them; where it gives text alone, the text encoded."""
        reason = "length" if choice.finish_reason == "length" else "stop"
        given = getattr(choice, "token_ids", None)
        if given is not None:
            return Response([int(token) for token in given], reason)
        ids = self._template.completions([choice.text])[0]
        return Response(ids if reason == "stop" else ids[:-1], reason)


def _context(path: Path) -> int:
    config = json.loads((path / "config.json").read_text("utf-8"))
    return int(config["max_position_embeddings"])
