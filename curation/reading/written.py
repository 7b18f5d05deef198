"""Message lists that were written as text: JSON or Python's own form inside a string column."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import Any

import orjson

from curation.reading.readers import Bad, Row, Texts
from curation.reading.turns import exchange, is_turn

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

    Lists of plain texts count in columns named as prompts and answers are: Arena's turns. Several
    questions without answers are no conversation (MT-Bench's two turns), and stay as they are.
    """
    kinds: dict[str, set[str]] = {}
    for row in rows:
        if isinstance(row, dict):
            for name, value in row.items():
                if value is not None and value != "":
                    kinds.setdefault(name, set()).add(_kind(value))
    lists = {name for name, seen in kinds.items() if seen == {"messages"}}
    told = {name for name, seen in kinds.items() if seen <= _TEXTS and may_be_turns(name)}
    if all(name in _ASKED for name in told):
        told = {name for name in told if kinds[name] == {"text"}}
    return frozenset(lists | told)


def may_be_turns(name: str) -> bool:
    """Whether a column's name says that its texts are the turns of a prompt or of an answer."""
    return name in _ASKED or _ANSWER.match(name) is not None


_TEXTS = {"text", "texts"}  # lists of one, and of several
_ASKED = ("prompt", "question", "instruction", "query")
_ANSWER = re.compile(r"(?i)^(?:chosen|rejected)$|^(?:response|answer|output)_?[ab0-9]?$")


def _kind(value: Any) -> str:
    found = decoded(value) if isinstance(value, str) else value
    if isinstance(found, list) and found and all(_is_text(one) for one in found):
        return "texts" if len(found) > 1 else "text"
    if not isinstance(value, str):
        return "other"  # a list of messages needs no decoding
    if isinstance(found, dict) and is_turn(found):
        return "messages"
    if not isinstance(found, list) or not found:
        return "other"
    return "messages" if all(is_turn(one) or exchange(one) for one in found) else "other"


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def read(row: Row | Bad, names: frozenset[str]) -> Row | Bad:
    """The row with these columns decoded; lists of texts become turns of one conversation."""
    if isinstance(row, Bad):
        return row
    made: Row = Texts(row) if isinstance(row, Texts) else dict(row)
    for name in names:
        if isinstance(value := row.get(name), str):
            made[name] = decoded(value)
    lists = [name for name in made if name in names and _texts(made[name])]
    if not lists:
        return made
    asked = next((name for name in _ASKED if name in lists), None)
    return _answers(made, lists) if asked is None else _with_turns(made, asked, lists)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_text(one) for one in value)


def _answers(row: Row, lists: list[str]) -> Row | Bad:
    """Lists of one text, which is the answer to a prompt that stands elsewhere in the row."""
    for name in lists:
        if len(row[name]) > 1:
            return _bad("wrong_type", f"{name}: {len(row[name])} texts, not one", row)
        row[name] = row[name][0]
    return row


def _with_turns(row: Row, asked: str, lists: list[str]) -> Row | Bad:
    """Questions and answers taken in turn: the last answers are compared, the others are context.

    Args:
        asked: The column whose turns are the questions.
    """
    answers = [name for name in lists if name != asked]
    turns = row[asked]
    if not answers and len(turns) > 1:
        return _bad("bad_roles", f"{asked}: {len(turns)} questions and no answers", row)
    if any(len(row[name]) != len(turns) for name in answers):
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
