"""Judges that score responses beside, or instead of, one reward model."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from pipelines.core.params.section import File, Model, knob


def _no_secret(url: str) -> str:
    """Refuse an address with a password or a key in it, which every log would have; unsaid.

    Raises:
        PydanticCustomError: there is one.
    """
    parts = urlsplit(url)
    if "@" in parts.netloc or parts.query or parts.fragment:
        said = "an address may hold no user, password or key; name api_key_env for the key"
        raise PydanticCustomError("secret", "{said}", {"said": said})
    return url


class Server(Model):
    """An OpenAI-compatible endpoint; the API key stays in the environment."""

    url: Annotated[str, AfterValidator(_no_secret)] = knob(
        "Its address, up to /v1.", "http://127.0.0.1:8000/v1", pattern=r"^https?://[^/]+"
    )
    model: str = knob(
        "The model's name there; {policy} stands for the policy that samples.",
        "{policy}",
        min_length=1,
    )
    api_key_env: str | None = knob(
        "Environment variable that holds the API key.", None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$"
    )
    concurrency: int = knob("Requests in flight at once.", 16, ge=1, le=1024)
    timeout: float = knob("Longest wait for one answer.", 120.0, unit="seconds", gt=0, le=86_400)
    retries: int = knob("Further tries of a failed request.", 5, ge=0, le=100)
    prompts: Literal["tokens", "text"] = knob(
        "What is sent: token ids, or rendered text.", "tokens"
    )


class RewardModelJudge(Model):
    """A Bradley-Terry reward model; the last three are for folders unlike those of transformers."""

    kind: Literal["reward_model"] = knob("Which judge this is.")
    path: File = knob("The folder of a model.")
    head: str | None = knob(
        "Name of the head in the checkpoint (value_head.weight); null: as transformers names it.",
        None,
    )
    reads: Literal["config", "last"] = knob(
        "Which token bears the score: the last that is not config.json's pad_token_id, as plain "
        "transformers reads it, or the last of all.",
        "config",
    )
    context: int | None = knob(
        "Tokens of prompt and response it reads; longer ones get a null reward. null: its own.",
        None,
        gt=0,
    )


class ServedRewardModelJudge(Model):
    """A Bradley-Terry reward model behind a server, such as `vllm serve MODEL --runner pooling`."""

    kind: Literal["served_reward_model"] = knob("Which judge this is.")
    path: File = knob(
        "Of served_reward_model: a folder with the model's tokenizer and config.json, its weights "
        "not needed."
    )
    server: Server = knob("Where it answers; model must be named.")
    api: Literal["classify", "pooling"] = knob("The server's route that gives scores.", "classify")
    context: int | None = knob(
        "Tokens of prompt and response it reads; longer ones get a null reward. null: its own.",
        None,
        gt=0,
    )


class PreferenceJudge(Model):
    """A pairwise preference model."""

    kind: Literal["preference_model"] = knob("Which judge this is.")
    path: File = knob("The folder of a model.")
    contest: Literal["round_robin", "knockout"] = knob(
        "Which pairs of a prompt's responses meet.", "round_robin"
    )


class LlmJudge(Model):
    """A chat model behind an endpoint."""

    kind: Literal["llm"] = knob("Which judge this is.")
    path: File = knob("Of llm: the template it is asked with; see recipes/judges.")
    server: Server = knob("Where it answers; model must be named.")
    temperature: float = knob("Sampling temperature of its answers.", 0.0, ge=0, le=5)
    max_tokens: int = knob("Longest answer.", 512, unit="tokens", gt=0, le=1_000_000)
    contest: Literal["round_robin", "knockout"] = knob(
        "Which pairs of a prompt's responses meet, with a pairwise template.", "round_robin"
    )


class FunctionJudge(Model):
    """A Python function (prompt, response) -> reward, or (prompt, response, answer) -> reward."""

    kind: Literal["function"] = knob("Which judge this is.")
    path: File = knob("Of function: the Python file, or a dotted one's known answers.")
    function: str = knob(
        "Name in the file, or dotted as in training.judges.exact_answer.reward.",
        pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$",
    )
    prompt_column: str = knob("The answers' column of prompts.", "prompt", min_length=1)
    answer_column: str = knob("The answers' column of answers.", "answer", min_length=1)


Served = LlmJudge | ServedRewardModelJudge
Judge = Annotated[
    RewardModelJudge | ServedRewardModelJudge | PreferenceJudge | LlmJudge | FunctionJudge,
    Field(discriminator="kind"),
]
