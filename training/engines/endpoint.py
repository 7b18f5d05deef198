"""One OpenAI-compatible endpoint over HTTP: many requests at once, retried, failures told apart.

The client is the openai library: it waits and tries again on 408, 409, 429, 5xx and lost
connections (exponential back-off with jitter, Retry-After honoured).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from curation.core.errors import UserError

Call = Mapping[str, Any]


@dataclass(frozen=True)
class Endpoint:
    """Where it is and how hard to press it.

    Attributes:
        url: base address, /v1 included.
        model: name it serves the model under; for sampling {policy} is the policy's folder name.
        api_key_env: environment variable that holds the key; None where none is asked for.
        concurrency: requests in flight at once.
        timeout: seconds one try may take.
        retries: further tries after the first.
        prompts: tokens sends token ids (vLLM and its like), text the rendered prompt as a string.
    """

    url: str = "http://127.0.0.1:8000/v1"
    model: str = "{policy}"
    api_key_env: str | None = None
    concurrency: int = 16
    timeout: float = 120.0
    retries: int = 5
    prompts: str = "tokens"


@dataclass(frozen=True)
class Failure:
    """A request that gave nothing usable, and why."""

    reason: str


class Client:
    """Sends requests to one endpoint; the key is read from the environment and never shown.

    Raises:
        UserError: the openai library or the key's variable is missing.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        try:
            import openai
        except ImportError as error:
            raise UserError(
                "engine.name: server and LLM judges need the openai library; "
                "pip install 'prefloop[server]'"
            ) from error
        self.endpoint = endpoint
        self._key = _key(endpoint)
        self._errors = openai
        self._client = openai.OpenAI(
            base_url=endpoint.url,
            api_key=self._key or "none",
            timeout=endpoint.timeout,
            max_retries=endpoint.retries,
        )

    def completions(self, calls: Sequence[Call]) -> list[Any | Failure]:
        """The first choice of each text completion, in order, or why there is none."""
        return self._all(self._client.completions.create, calls, _first)

    def chats(self, calls: Sequence[Call]) -> list[Any | Failure]:
        """The first choice of each chat completion, in order, or why there is none."""
        return self._all(self._client.chat.completions.create, calls, _first)

    def posted(self, route: str, calls: Sequence[Call]) -> list[Any | Failure]:
        """The JSON that a route beside /v1 (vLLM's /pooling) answers to each call, in order."""
        url = self.endpoint.url.rstrip("/").removesuffix("/v1") + route

        def post(**call: Any) -> Any:
            return self._client.post(url, body=call, cast_to=object)

        return self._all(post, calls, lambda answer: answer)

    def served(self, model: str) -> dict[str, Any]:
        """What the endpoint says of a model it serves, such as max_model_len.

        Raises:
            UserError: it is not there, or serves no model of this name.
        """
        try:
            listed = [one.model_dump() for one in self._client.models.list().data]
        except (self._errors.OpenAIError, ValueError, AttributeError) as error:
            raise UserError(f"{self.endpoint.url}: {self._said(error)}; is it running?") from error
        for one in listed:
            if one["id"] == model:
                return one
        names = ", ".join(str(one["id"]) for one in listed) or "nothing"
        raise UserError(
            f"{self.endpoint.url}: serves {names}, not {model}; start it with "
            f"--served-model-name {model}, or set its model in params.yaml"
        )

    def version(self) -> str:
        """The server's version where it tells one (vLLM does), else unknown."""
        parts = urlsplit(self.endpoint.url)
        try:
            told: Any = self._client.get(
                f"{parts.scheme}://{parts.netloc}/version", cast_to=object, options={}
            )
            return str(told["version"])
        except (self._errors.OpenAIError, ValueError, KeyError, TypeError):
            return "unknown"

    def _all(
        self, create: Callable[..., Any], calls: Sequence[Call], read: Callable[[Any], Any]
    ) -> list[Any | Failure]:
        pool = ThreadPoolExecutor(self.endpoint.concurrency)
        try:
            found = list(pool.map(lambda call: self._one(create, call, read), calls))
        finally:
            pool.shutdown(cancel_futures=True)
        failed = [one for one in found if isinstance(one, Failure)]
        if found and len(failed) == len(found):
            raise UserError(
                f"{self.endpoint.url}: each of {len(found)} requests failed, the first with: "
                f"{failed[0].reason}; mend the endpoint and run again: finished shards are kept"
            )
        return found

    def _one(
        self, create: Callable[..., Any], call: Call, read: Callable[[Any], Any]
    ) -> Any | Failure:
        """One request with its retries; what concerns every request alike is a UserError."""
        said, library = self._said, self._errors
        try:
            return read(create(**call))
        except library.APITimeoutError:
            return Failure(f"no answer within {self.endpoint.timeout:g} s")
        except (
            library.APIConnectionError,
            library.AuthenticationError,
            library.PermissionDeniedError,
            library.NotFoundError,
        ) as error:
            raise UserError(f"{self.endpoint.url}: {said(error)}") from None
        except library.OpenAIError as error:
            return Failure(said(error))
        except (ValueError, AttributeError, IndexError, TypeError):
            return Failure("the answer is not an OpenAI-compatible completion")

    def _said(self, error: Exception) -> str:
        """An error as one short line, the key blotted out wherever the server echoes it."""
        cause = f" ({error.__cause__})" if error.__cause__ else ""
        line = " ".join(f"{type(error).__name__}: {error}{cause}".split())
        if self._key:
            line = line.replace(self._key, "***")
        return line[:300]


def _first(answer: Any) -> Any:
    return answer.choices[0]


def _key(endpoint: Endpoint) -> str | None:
    if endpoint.api_key_env is None:
        return None
    key = os.environ.get(endpoint.api_key_env, "").strip()
    if not key:
        raise UserError(
            f"{endpoint.url}: the environment variable {endpoint.api_key_env} (api_key_env) is "
            "not set; put the API key there"
        )
    return key
