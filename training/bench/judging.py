"""What an LLM judge is asked about a benchmark's answers, and its verdicts in that file's form.

The pairwise benchmarks ask twice, first with the baseline's answer in front, then with the model's.
A judgment that failed keeps its place: no verdict, and the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.bench.contestants import WITH_REFERENCE, ModelAnswers, Question, dialogue
from training.judges.llm import Reply
from training.judges.template import Template, as_text

Ask = tuple[Template, list[dict[str, str]]]


@dataclass(frozen=True)
class Bout:
    """Who is judged, by whom, with which question.

    Attributes:
        baseline: the other side of a pairwise benchmark; None where answers are rated.
        reference: the question for math, reasoning and coding; None where answers are compared.
    """

    bench: str
    judge: str
    template: Template
    answers: ModelAnswers
    baseline: ModelAnswers | None = None
    reference: Template | None = None


def asks(bout: Bout, question: Question) -> list[Ask]:
    """The two orders of a pairwise benchmark, or the turns of MT-Bench."""
    said = bout.answers.of(question)
    if bout.baseline is None:
        return [_rating(bout, question, said, turn) for turn in range(len(question.turns))]
    prompt = as_text(dialogue(question.turns, []))
    theirs, ours = bout.baseline.of(question)[-1], said[-1]
    return [
        (bout.template, bout.template.ask(prompt=prompt, first=first, second=second))
        for first, second in ((theirs, ours), (ours, theirs))
    ]


def _rating(bout: Bout, question: Question, said: Sequence[str], turn: int) -> Ask:
    asked = question.turns[: turn + 1]
    template, known = bout.template, {}
    if bout.reference and question.reference and question.category in WITH_REFERENCE:
        template = bout.reference
        whole = dialogue(asked, question.reference[: turn + 1])
        known = {"reference": as_text(whole) if turn else question.reference[0]}
    prompt = as_text(dialogue(asked, said[:turn]))
    return template, template.ask(prompt=prompt, response=said[turn], **known)


def rows(bout: Bout, question: Question, replies: Sequence[Reply]) -> list[dict[str, Any]]:
    """The file's rows of one question, from the replies to its asks."""
    if bout.bench == "mt_bench":
        return [_rated(bout, question, turn, reply) for turn, reply in enumerate(replies)]
    return [_annotated(bout, question, replies)] if bout.bench == "alpaca_eval" else [
        _played(bout, question, replies)
    ]  # fmt: skip


def flipped(bout: Bout, replies: Sequence[Reply]) -> bool:
    """Whether the judge prefers what stands first, or second, whichever answer that is."""
    if bout.baseline is None:
        return False
    there, here = (reply.result for reply in replies)
    if isinstance(there, str) or isinstance(here, str):
        return False
    return (there - 0.5) * (here - 0.5) > 0


def _rated(bout: Bout, question: Question, turn: int, reply: Reply) -> dict[str, Any]:
    template, messages = asks(bout, question)[turn]
    referred = template is bout.reference
    return {
        "question_id": question.key,
        "model": bout.answers.model,
        "judge": [bout.judge, "reference" if referred else "plain"],
        "user_prompt": messages[-1]["content"],
        "judgment": reply.text,
        "turn": turn + 1,
        "tstamp": 0.0,
        **_verdict(reply.result),
    }


def _verdict(result: float | str) -> dict[str, Any]:
    failed = isinstance(result, str)
    return {"score": None if failed else result, "reason": result if failed else None}


def _played(bout: Bout, question: Question, replies: Sequence[Reply]) -> dict[str, Any]:
    """Arena-Hard's row: the label as the judge wrote it, once with the baseline as A, once as B."""
    games = []
    for (template, messages), reply in zip(asks(bout, question), replies, strict=True):
        game = _verdict(reply.result)
        if game["score"] is not None:
            (game["score"],) = template.verdicts(reply.text)
        games.append({"user_prompt": messages[-1]["content"], "judgment": reply.text, **game})
    head = {"question_id": question.key, "model": bout.answers.model, "judge": bout.judge}
    return {**head, "games": games, "tstamp": 0.0}


def _annotated(bout: Bout, question: Question, replies: Sequence[Reply]) -> dict[str, Any]:
    """AlpacaEval's row: 1 plus the chance that the model's answer is better, over both orders."""
    assert bout.baseline is not None
    baseline_first, model_first = (reply.result for reply in replies)
    preference, reason = None, None
    if isinstance(baseline_first, str):
        reason = baseline_first
    elif isinstance(model_first, str):
        reason = model_first
    else:
        preference = 1.0 + (1.0 - baseline_first + model_first) / 2.0
    return {
        "instruction": question.key,
        "output_1": bout.baseline.of(question)[-1],
        "generator_1": bout.baseline.model,
        "output_2": bout.answers.of(question)[-1],
        "generator_2": bout.answers.model,
        "dataset": question.category,
        "annotator": bout.judge,
        "preference": preference,
        "raw_completion": [reply.text for reply in replies],
        "reason": reason,
    }
