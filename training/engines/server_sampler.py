"""The server engine: responses drawn from a policy that an OpenAI-compatible endpoint serves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from training.core import checkpoint, vocabulary
from training.core.chat_template import ChatTemplate
from training.core.vocabulary import Fault
from training.engines import finishing
from training.engines.endpoint import Client, Endpoint, Failure
from training.engines.protocol import PLAIN, Draw, Request, Response, Rules, Sampling

_SEEDS = (1 << 63) - 1  # the protocol's seeds are signed
_BARRED = -100.0  # the least that the protocol knows: e^-100, less than a float32 can hold


class ServerSampler:
    """Draws responses over HTTP, one request each: every response has a seed of its own.

    A request says all that decides a draw, or the server would fill in what the served model's own
    generation_config.json says. What comes back is checked: a draw that was aborted or filtered, or
    that no engine of this project could have drawn, is a failed one.

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
        self.vocabulary = vocabulary.of(path, tokenizer, self._template)
        model = endpoint.model.replace("{policy}", path.name)
        self._client = Client(replace(endpoint, model=model))
        served = self._client.served(model)
        self.version = self._client.version()
        self.context = int(served.get("max_model_len") or vocabulary.context(path, tokenizer))

    def sample(
        self,
        requests: Sequence[Request],
        max_new_tokens: int,
        stop: Sequence[int] = (),
        sampling: Sampling = PLAIN,
    ) -> list[list[Response]]:
        """Responses per request, in the order of its draws.

        Raises:
            UserError: a request failed after all its retries.
        """
        rules = Rules(max_new_tokens, stop, sampling)
        shared = self._shared(rules)
        calls = [{**self._call(r.prompt, draw), **shared} for r in requests for draw in r.draws]
        answers = self._client.completions(calls)
        broken = [one.reason for one in answers if isinstance(one, Failure)]
        if broken:
            raise UserError(
                f"{self._client.endpoint.url}: {len(broken)} of {len(answers)} requests failed, "
                f"the first with: {broken[0]}; run again: finished shards are kept"
            )
        drawn = iter(answers)
        return [[self._response(next(drawn), rules) for _ in one.draws] for one in requests]

    def close(self) -> None:
        """Nothing of the model is held here."""

    def _shared(self, rules: Rules) -> dict[str, Any]:
        """What every request of a call says: length, ends, sampling, ids that are never drawn."""
        sampling = asdict(rules.sampling)
        ends = sorted(self.vocabulary.ends.union(rules.stop))
        more = {name: value for name, value in sampling.items() if name != "top_p"}
        ending: dict[str, Any] = {}
        if self._client.endpoint.prompts == "text":
            ending = {"stop": [str(self._tokenizer.decode([end])) for end in ends]}
        else:
            more |= {"stop_token_ids": ends, "return_token_ids": True}
        return {
            "max_tokens": rules.max_new_tokens,
            "top_p": rules.sampling.top_p,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
            "logit_bias": {str(token): _BARRED for token in self.vocabulary.unknown},
            "extra_body": more,
            **ending,
        }

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

    def _response(self, choice: Any, rules: Rules) -> Response:
        """Token ids as the server gives them; where it gives text alone, the text encoded."""
        told = choice.finish_reason
        given = getattr(choice, "token_ids", None)
        if given is not None:
            return finishing.response(given, told, self.vocabulary, rules)
        reason = finishing.reason_of(told)
        if reason is None or choice.text is None:
            text = "no text" if choice.text is None else f"finish_reason {told!r}"
            return finishing.failed(text, told=told)
        if (marker := self._template.marker_in(choice.text)) is not None:
            return Response([], reason, Fault("control_token", f"spells {marker}"))
        ids = self._template.continuations([choice.text])[0]
        return Response(ids if reason == "stop" else ids[:-1], reason)
