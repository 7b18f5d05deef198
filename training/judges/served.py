"""A reward model behind a server (vLLM's /classify or /pooling): too large to load beside a policy.

It is read as a local one would be: prompt and response are encoded here, by the model's own
tokenizer and template, and sent as token ids. What comes back is a raw score or nothing: a request
that fails is a null reward with its reason.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from scipy import special

from curation.core.errors import UserError
from training.core import checkpoint, loading, reward_head, vocabulary
from training.core.chat_template import ChatTemplate
from training.core.sampled import TEXT, Sampled
from training.engines.endpoint import Client, Endpoint, Failure
from training.engines.reading import up_to_score
from training.judges.protocol import Group, rate
from training.judges.reward_model import Item, Verdict, encode, finite, readable, too_long

PROBES = 4  # sequences that prove, before the first reward, that scores come raw
NEAR = 0.1  # of 1 + |score|: the server does not tell its number type

Score = float | Failure


@dataclass(frozen=True)
class Asking:
    """How a served reward model is asked; a part of its hash.

    Attributes:
        api: the route: /classify or /pooling.
        context: tokens of prompt and response it may be asked; None: what the server takes.
    """

    api: Literal["classify", "pooling"] = "classify"
    context: int | None = None


ROUTED = Asking()


class ServedRewardModel:
    """Asks a served classifier of one label for the raw score of each response.

    Args:
        path: the model's tokenizer and config.json; weights there are not read.

    Raises:
        UserError: a file is missing, or the model is a mean over the response, which no server
            gives.
    """

    dtype = "served"

    def __init__(self, name: str, path: Path, endpoint: Endpoint, asking: Asking) -> None:
        card = checkpoint.card(path)
        if "mean" in (card.get("pooling"), reward_head.pooling(path)):
            raise UserError(
                f"judges.{name}.path: {path} is a mean over the response, which a server does not "
                "give; use kind: reward_model, which loads it"
            )
        self.name, self._asking = name, asking
        self._tokenizer = checkpoint.load_tokenizer(path)
        self.template = ChatTemplate(self._tokenizer)
        self.template_sha = self.template.sha
        self._pad = loading.config(path).pad_token_id
        self._slope = float(card.get("length_slope", 0.0))
        self._stored = card.get("reference_scores", [])
        self._context = asking.context or vocabulary.context(path, self._tokenizer)
        self._client, self._proven = Client(endpoint), False
        read = hashlib.sha256((path / "tokenizer.json").read_bytes()).hexdigest()
        said = [endpoint.model, asking.api, asking.context, self._pad, self._slope, read]
        self.sha = hashlib.sha256(json.dumps(said).encode()).hexdigest()[:24]

    def judge(self, groups: Sequence[Group]) -> list[list[Verdict]]:
        """One verdict per response of every group; what was sampled is what is read."""
        return rate(_Rater(self), groups)

    def verdicts(self, items: Sequence[Item], sampled: Sequence[Sampled]) -> list[Verdict]:
        """One verdict per item; null past the context, or where the request failed."""
        ids, _ = encode(self.template, items, sampled)
        self._prove([one for one in ids if len(one) <= self._context])
        fit = [place for place, one in enumerate(ids) if len(one) <= self._context]
        scores = dict(zip(fit, self._scores([ids[k] for k in fit]), strict=True))
        return [
            self._verdict(scores[place], items[place][1])
            if place in scores
            else too_long(len(one), self._context)
            for place, one in enumerate(ids)
        ]

    def _verdict(self, score: Score, response: str) -> Verdict:
        if isinstance(score, Failure):
            return Verdict(None, f"server: {score.reason}")
        return finite(score - self._slope * len(response))

    def _scores(self, ids: Sequence[Sequence[int]], activated: bool = False) -> list[Score]:
        """Scores of token sequences, read where the model's own config has them read."""
        inputs = [self._input(list(one)) for one in up_to_score(ids, self._pad)]
        sent = [(place, one) for place, one in enumerate(inputs) if one is not None]
        answers = self._client.posted(
            f"/{self._asking.api}", [self._call(one, activated) for _, one in sent]
        )
        found = {place: _read(answer) for (place, _), answer in zip(sent, answers, strict=True)}
        odd = Failure("its tokens are not what their text is read as; send tokens")
        return [found.get(place, odd) for place in range(len(inputs))]

    def _input(self, ids: list[int]) -> list[int] | str | None:
        """What is sent: token ids, or a text that the tokenizer reads as these very ids."""
        if self._client.endpoint.prompts == "tokens":
            return ids
        text = str(self._tokenizer.decode(ids, skip_special_tokens=False))
        same = self._tokenizer(text, add_special_tokens=False).input_ids == ids
        return text if same else None

    def _call(self, given: list[int] | str, activated: bool) -> dict[str, Any]:
        more = {"task": "classify"} if self._asking.api == "pooling" else {}
        text = {"add_special_tokens": False} if isinstance(given, str) else {}
        model = self._client.endpoint.model
        return {"model": model, "input": given, "use_activation": activated, **more, **text}

    def _prove(self, ids: Sequence[Sequence[int]]) -> None:
        """Before the first reward: the model is there, scores come raw, and are the stored ones."""
        if self._proven or not ids:
            return
        told = self._client.served(self._client.endpoint.model)
        self._context = min(self._context, int(told.get("max_model_len") or self._context))
        few = [one for one in ids if len(one) <= self._context][:PROBES]
        raw, squashed = self._whole(few), self._whole(few, activated=True)
        if raw == squashed and all(0 <= score <= 1 for score in raw):
            raise UserError(
                f"{self._client.endpoint.url}: gives the same with use_activation on and off, all "
                "within 0 and 1: it squashes rewards; serve the model with a vLLM that knows "
                "use_activation"
            )
        if raw != squashed and not _near(special.expit(raw).tolist(), squashed, NEAR / 2):
            raise UserError(
                f"{self._client.endpoint.url}: what use_activation gives is no sigmoid of what it "
                "gives without; is the model there a classifier of one label?"
            )
        self._replay()
        self._proven = True

    def _replay(self) -> None:
        """Hold the server to the scores that the model's card has stored."""
        now = self._whole([row["ids"] for row in self._stored])
        for row, score in zip(self._stored, now, strict=True):
            if not _near([score], [row["score"]], NEAR):
                raise UserError(
                    f"{self._client.endpoint.url}: scores {score:.4f} where {row['score']:.4f} is "
                    f"stored (tolerance {NEAR}); it serves another model than judges.{self.name}."
                    "path names"
                )

    def _whole(self, ids: Sequence[Sequence[int]], activated: bool = False) -> list[float]:
        """Scores of all sequences; UserError for one that failed."""
        found: list[float] = []
        for score in self._scores(ids, activated):
            if isinstance(score, Failure):
                raise UserError(f"{self._client.endpoint.url}: {score.reason}")
            found.append(score)
        return found


class _Rater:
    """A served model as a rater of single responses."""

    def __init__(self, served: ServedRewardModel) -> None:
        self._served = served

    def judge(
        self, items: Sequence[Item], sampled: Sequence[Sampled] | None = None
    ) -> list[Verdict]:
        """One verdict per (prompt messages, response)."""
        drawn = sampled or [TEXT] * len(items)
        return readable(self._served.template, items, drawn, self._served.verdicts)


def _near(ours: Sequence[float], theirs: Sequence[float], share: float) -> bool:
    return all(abs(a - b) <= share * (1 + abs(b)) for a, b in zip(ours, theirs, strict=True))


def _read(answer: Any) -> Score:
    """The one number of an answer: data[0].probs of /classify, data[0].data of /pooling."""
    if isinstance(answer, Failure):
        return answer
    try:
        (told,) = answer["data"]
        numbers = told["probs"] if "probs" in told else told["data"]
    except (TypeError, KeyError, ValueError):
        return Failure("the answer is none of /classify or /pooling")
    while isinstance(numbers, list) and len(numbers) == 1:
        numbers = numbers[0]
    if isinstance(numbers, list):
        return Failure(f"the answer holds {len(numbers)} scores, and a reward model gives one")
    if isinstance(numbers, bool) or not isinstance(numbers, int | float):
        return Failure("the answer's score is no number")
    return float(numbers)
