"""Judges that score responses beside, or instead of, one reward model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipelines.core.params.section import Model


class Server(Model):
    """An OpenAI-compatible endpoint; the API key stays in the environment."""

    url: str = Field(default="http://127.0.0.1:8000/v1", pattern=r"^https?://")
    model: str = "{policy}"
    api_key_env: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    concurrency: int = Field(default=16, ge=1, le=1024)
    timeout: float = Field(default=120.0, gt=0)
    retries: int = Field(default=5, ge=0)
    prompts: Literal["tokens", "text"] = "tokens"


class RewardModelJudge(Model):
    """A Bradley-Terry reward model; path is its folder."""

    kind: Literal["reward_model"]
    path: str


class PreferenceJudge(Model):
    """A pairwise preference model; path is its folder."""

    kind: Literal["preference_model"]
    path: str
    contest: Literal["round_robin", "knockout"] = "round_robin"


class LlmJudge(Model):
    """A chat model behind an endpoint; path is the template it is asked with."""

    kind: Literal["llm"]
    path: str
    server: Server
    temperature: float = Field(default=0.0, ge=0)
    max_tokens: int = Field(default=512, gt=0)
    contest: Literal["round_robin", "knockout"] = "round_robin"


class FunctionJudge(Model):
    """A Python function of path, (prompt, response) -> reward.

    With a dotted name, such as training.judges.exact_answer.reward, path is the file of known
    answers instead and the function takes (prompt, response, answer); prompt_column and
    answer_column name the file's columns.
    """

    kind: Literal["function"]
    path: str
    function: str
    prompt_column: str = "prompt"
    answer_column: str = "answer"


Judge = Annotated[
    RewardModelJudge | PreferenceJudge | LlmJudge | FunctionJudge, Field(discriminator="kind")
]
