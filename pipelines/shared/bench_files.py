"""Question and answer files of AlpacaEval, MT-Bench and Arena-Hard, read and written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curation.core.errors import UserError
from pipelines.shared import records
from pipelines.shared.records import Row
from training.bench.contestants import ModelAnswers, Question

if TYPE_CHECKING:
    from training.bench.answering import Said

# What a row of each benchmark must hold; the first name that a row has counts.
_KEYS = {
    "alpaca_eval": ["instruction"],
    "mt_bench": ["question_id"],
    "arena_hard": ["question_id", "uid"],
}
_MODELS = {
    "alpaca_eval": ["generator"],
    "mt_bench": ["model_id"],
    "arena_hard": ["model_id", "model"],
}


def questions(bench: str, path: Path) -> list[Question]:
    """A benchmark's questions in the file's order; one that is there twice counts once.

    Raises:
        UserError: the file is not of the benchmark's form.
    """
    found: dict[str, Question] = {}
    for number, row in enumerate(records.read(path), start=1):
        where = f"{path}: row {number}"
        key = _first(where, row, _KEYS[bench], bench)
        question = Question(
            key,
            (key,) if bench == "alpaca_eval" else _turns(where, _asked(row)),
            row.get("dataset" if bench == "alpaca_eval" else "category"),
            _turns(where, row["reference"]) if row.get("reference") else (),
        )
        known = found.setdefault(str(key), question)
        if known.turns != question.turns:
            raise UserError(f"{where}: another question has the id {key} already")
        if question.reference and len(question.reference) != len(question.turns):
            raise UserError(f"{where}: reference: give one answer to each of its turns, or none")
    return list(found.values())


def answers(bench: str, path: Path, wanted: Sequence[Question]) -> ModelAnswers:
    """One model's answers to these questions; answers to others are left alone.

    Raises:
        UserError: the file is not of the benchmark's form, holds several models, answers a
            question twice, or leaves one (or one of its turns) out.
    """
    found: dict[str, tuple[str, ...]] = {}
    models: set[str] = set()
    for number, row in enumerate(records.read(path), start=1):
        where = f"{path}: row {number}"
        key = str(_first(where, row, _KEYS[bench], bench))
        models.add(str(_first(where, row, _MODELS[bench], bench)))
        if len(models) > 1:
            both = " and ".join(sorted(models))
            raise UserError(f"{where}: the file holds {both}; give one model's answers at a time")
        if key in found:
            raise UserError(f"{where}: {key[:60]!r} is answered twice; keep one")
        found[key] = (
            _turns(where, [row.get("output")]) if bench == "alpaca_eval" else _said(where, row)
        )
    for question in wanted:
        has = len(found.get(str(question.key), ()))
        if has < len(question.turns):
            raise UserError(
                f"{path}: {has} of {len(question.turns)} turns of question "
                f"{str(question.key)[:60]!r} are answered; give the answers to the same questions"
            )
    return ModelAnswers(models.pop(), found)


def written(bench: str, model: str, asked: Question, said: Sequence[Said]) -> Row:
    """One row of the benchmark's answer file.

    The time stamp is 0 and the answer's id a hash of what it says: the same answers are the same
    bytes, whenever they were given.
    """
    texts, ends = [one.text for one in said], [one.end for one in said]
    if bench == "alpaca_eval":
        head = {"instruction": asked.key, "output": texts[0], "generator": model}
        return {**head, "dataset": asked.category, "finish_reason": ends[0]}
    turns: list[Any] = texts if bench == "mt_bench" else [{"content": text} for text in texts]
    facts = json.dumps([model, asked.key, texts], ensure_ascii=False)
    return {
        "question_id": asked.key,
        "answer_id": hashlib.sha256(facts.encode()).hexdigest()[:24],
        "model_id": model,
        "choices": [{"index": 0, "turns": turns, "finish_reasons": ends}],
        "tstamp": 0.0,
    }


def text(bench: str, rows: Sequence[Row]) -> str:
    """The rows as the benchmark's file: AlpacaEval's is one JSON array, the others' JSON lines."""
    if bench == "alpaca_eval":
        return json.dumps(list(rows), ensure_ascii=False, indent=2) + "\n"
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _first(where: str, row: Row, names: Sequence[str], bench: str) -> Any:
    for name in names:
        if isinstance(row.get(name), str | int):
            return row[name]
    has = ", ".join(sorted(row))
    raise UserError(f"{where} lacks {' or '.join(names)} (it has: {has}); not a file of {bench}")


def _asked(row: Row) -> Any:
    """The user's turns: Arena-Hard's newer files have a prompt in their place."""
    return row["turns"] if "turns" in row else [row.get("prompt")]


def _said(where: str, row: Row) -> tuple[str, ...]:
    """The answers of a row: choices (FastChat's form), or messages (Arena-Hard's newer one)."""
    if "choices" in row:
        choices = row["choices"]
        first = choices[0] if isinstance(choices, list) and choices else None
        return _turns(where, first.get("turns") if isinstance(first, Mapping) else None)
    messages = row.get("messages") or []
    said = [one.get("content") for one in messages if one.get("role") == "assistant"]
    return _turns(where, said)


def _turns(where: str, found: Any) -> tuple[str, ...]:
    """Texts of turns, plain or as {content} or {answer}."""
    turns = found if isinstance(found, list) else [None]
    texts = []
    for turn in turns:
        plain = turn.get("content", turn.get("answer")) if isinstance(turn, Mapping) else turn
        if not isinstance(plain, str):
            raise UserError(f"{where}: a turn is no text; see docs/tasks/benchmarks.md")
        texts.append(plain)
    if not texts:
        raise UserError(f"{where}: it has no turns")
    return tuple(texts)
