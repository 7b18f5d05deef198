"""Pairs to Argilla's JSON records, and the responses of its users back to decisions.

The form is that of `dataset.records.to_json` and `from_json` of argilla 2: a list of records with
id, fields, metadata, suggestions, responses and vectors. Side A is fixed by a hash, so a record
does not tell which response is chosen unless suggestions are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import polars as pl

from curation.core.errors import UserError
from curation.review.decisions import REVIEWS
from curation.review.sides import Sides, look

QUESTION = "preference"
VALUES = {"a": "a", "b": "b", "neither": "drop"}
"""Labels of the question -> answers; both orders of sides are asked with the same three labels."""


def records(pairs: Iterable[Sides], suggest: bool = False) -> list[dict[str, Any]]:
    """One record per pair.

    Args:
        pairs: pairs as `sides.look` gives them, for no reviewer in particular.
        suggest: give the judge's choice as a suggestion; people then no longer decide blind.
    """
    return [_record(pair, suggest) for pair in pairs]


def _record(pair: Sides, suggest: bool) -> dict[str, Any]:
    picked = {"value": "a" if pair.a_is_chosen else "b", "score": None, "agent": pair.strategy}
    return {
        "id": pair.pair_id,
        "fields": {"prompt": _text(pair.prompt), "response_a": pair.a, "response_b": pair.b},
        "metadata": {"iteration": pair.iteration, "prompt_id": pair.prompt_id},
        "suggestions": {QUESTION: picked} if suggest else {},
        "responses": {},
        "vectors": {},
    }


def _text(messages: list[dict[str, str]]) -> str:
    if len(messages) == 1:
        return messages[0]["content"]
    return "\n\n".join(f"{one['role']}: {one['content']}" for one in messages)


def decisions(
    con: duckdb.DuckDBPyConnection,
    found: list[Any],
    decided_at: str,
    names: Mapping[str, str],
) -> tuple[pl.DataFrame, dict[str, int]]:
    """The responses in a list of records as decisions.

    Args:
        con: the open build whose pairs they are about.
        found: the records, as JSON gives them.
        decided_at: the time to record; Argilla's records carry none.
        names: user id -> reviewer; a user without one keeps the id.

    Returns:
        Rows of `REVIEWS`, and how many responses were left out, by reason: unknown_pair (not in
        this build), other_texts (the record's texts are not the pair's), unknown_value,
        no_response.

    Raises:
        UserError: an item is not a record of Argilla.
    """
    shown = {pair.pair_id: pair for pair in look(con, [_id(item) for item in found])}
    rows: list[pl.DataFrame] = []
    left = dict.fromkeys(("unknown_pair", "other_texts", "unknown_value", "no_response"), 0)
    for item in found:
        pair = shown.get(item["id"])
        answers = _responses(item)
        if not answers:
            left["no_response"] += 1
        for answer in answers:
            reason = _unusable(item, pair, answer)
            if reason:
                left[reason] += 1
            elif pair is not None:
                user = str(answer["user_id"])
                said = pair.decision(VALUES[answer["value"]])
                rows.append(pair.row(said, names.get(user, user), decided_at))
    return (pl.concat(rows) if rows else REVIEWS.empty()), left


def _id(item: Any) -> str:
    if not isinstance(item, dict) or not isinstance(item.get("id"), str):
        raise UserError("a record lacks its id; give what argilla's records.to_json wrote")
    return str(item["id"])


def _responses(item: dict[str, Any]) -> list[dict[str, Any]]:
    by_question = item.get("responses") or {}
    answers = by_question.get(QUESTION, []) if isinstance(by_question, dict) else None
    if not isinstance(answers, list) or not all(
        isinstance(one, dict) and "user_id" in one for one in answers
    ):
        raise UserError(
            f"record {item['id']}: responses.{QUESTION} is not a list of value and user_id"
        )
    return answers


def _unusable(item: dict[str, Any], pair: Sides | None, answer: dict[str, Any]) -> str | None:
    fields = item.get("fields") or {}
    if pair is None:
        return "unknown_pair"
    if (fields.get("response_a"), fields.get("response_b")) != (pair.a, pair.b):
        return "other_texts"
    return None if answer.get("value") in VALUES else "unknown_value"
