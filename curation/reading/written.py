"""Message lists that were written as text: JSON or Python's own form inside a string column."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

import orjson

from curation.reading.readers import Bad, Row, Texts
from curation.reading.turns import is_exchange, is_turn

LONGEST = 10_000_000
"""Characters of a Python literal: Python's own parser takes many times its size in memory."""


def decoded(text: str) -> Any:
    """The list or object that a text is, as JSON or as a Python literal; else the text."""
    start = text.lstrip()[:1]
    if start not in ("[", "{"):
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    if len(text) > LONGEST:
        return text
    try:
        value = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    return value if isinstance(value, list | dict) else text


def columns(rows: Iterable[Row | Bad]) -> frozenset[str]:
    """Columns whose texts are all message lists, in these first rows.

    Lists of plain texts (Arena's turns) count where two columns at least hold them, prompt and
    answer: one alone may be a list that somebody answered.
    """
    kinds: dict[str, set[str]] = {}
    for row in rows:
        if isinstance(row, dict):
            for name, value in row.items():
                if value is not None and value != "":
                    kinds.setdefault(name, set()).add(_kind(value))
    lists = {name for name, seen in kinds.items() if seen == {"messages"}}
    texts = {name for name, seen in kinds.items() if seen == {"texts"}}
    return frozenset(lists | (texts if len(texts) > 1 else set()))


def _kind(value: Any) -> str:
    found = decoded(value) if isinstance(value, str) else None
    if isinstance(found, dict) and is_turn(found):
        return "messages"
    if not isinstance(found, list) or not found:
        return "other"
    if all(is_turn(one) or is_exchange(one) for one in found):
        return "messages"
    return "texts" if all(one is None or isinstance(one, str) for one in found) else "other"


def read(row: Row | Bad, names: frozenset[str]) -> Row | Bad:
    """The row with these columns decoded; lists of texts become turns of one conversation."""
    if isinstance(row, Bad):
        return row
    made: Row = Texts(row) if isinstance(row, Texts) else dict(row)
    for name in names:
        if isinstance(value := row.get(name), str):
            made[name] = decoded(value)
    lists = [name for name in names if _texts(made.get(name))]
    return _with_turns(made, lists) if lists else made


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(one is None or isinstance(one, str) for one in value)


def _with_turns(row: Row, lists: list[str]) -> Row | Bad:
    """Questions and answers taken in turn: the last answers are compared, the others are context.

    The column whose turns are the questions is the one named prompt, else the first of the row.
    """
    order = [name for name in row if name in lists]
    asked = next(
        (name for name in order if name in ("prompt", "question", "instruction")), order[0]
    )
    answers = [name for name in order if name != asked]
    turns = row[asked]
    if not turns or any(len(row[name]) != len(turns) for name in answers):
        return _bad("bad_roles", "not as many answers as questions", row)
    if any(row[name][:-1] != row[answers[0]][:-1] for name in answers):
        return _bad("unequal_prompts", "the answers before the last differ", row)
    said = [{"role": "user", "content": turns[0]}]
    for answer, question in zip(row[answers[0]][:-1] if answers else [], turns[1:], strict=False):
        said += [{"role": "assistant", "content": answer}, {"role": "user", "content": question}]
    row[asked] = said
    row.update({name: row[name][-1] or "" for name in answers})
    return row


def _bad(rule: str, detail: str, row: Row) -> Bad:
    return Bad(rule, detail, orjson.dumps(row, default=str).decode())
