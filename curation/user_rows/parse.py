"""Ready-made generations and scores: users' own rows, under the names people give their columns.

A row may hold one response, or a list of them with a list of rewards beside it.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import polars as pl

from curation.core.schema import MESSAGES, REJECTS
from curation.reading.readers import Bad, Row
from curation.reading.turns import TOOL_COLUMNS, given, is_turn
from curation.reading.written import decoded
from curation.user_rows.asked import WrongError, answers, control_token, prompt

# Each field's names, the first that a row has counts; --map names any other.
ALIASES: dict[str, tuple[str, ...]] = {
    "generation_id": ("generation_id",),
    "prompt": ("prompt", "messages", "context_messages", "instruction", "question"),
    "system": ("system", "system_prompt"),
    "history": ("history",),
    "response": (
        *("response", "output", "completion", "answer", "generation"),
        *("responses", "outputs", "completions", "answers", "generations"),
        "all_generated_responses",
    ),
    "policy": ("policy", "generator", "model"),
    "sample": ("sample",),
    "temperature": ("temperature",),
    "finish_reason": ("finish_reason",),
    "reward": ("reward", "score", "preference", "rating", "rewards", "scores", "all_rm_scores"),
}
_COLUMNS: dict[str, Any] = {
    "item": pl.String,
    "generation_id": pl.String,
    "messages": MESSAGES,
    "response": pl.String,
    "policy": pl.String,
    "sample": pl.Int64,
    "temperature": pl.Float64,
    "finish_reason": pl.String,
    "reward": pl.Float64,
    "reason": pl.String,
}
PARSED = pl.Schema(_COLUMNS)
_CHUNK = 8_192
# A response came to its own end, or to a limit, in the words of the servers people use.
_STOPS = ("stop", "eos", "eos_token", "stop_sequence", "stop_token", "end_turn", "complete")
_LENGTHS = ("length", "max_tokens", "model_length")


@dataclass(frozen=True)
class Parsed:
    """Rows of one response each, and those that could not be read as such.

    Attributes:
        frame: the columns of PARSED; item names the row in the ledger.
        rejects: rows of the rejects table.
        rows: rows of the file.
        responses: responses that its readable rows hold, counted apart from how they are read.
        columns: names of the first row's columns.
    """

    frame: pl.DataFrame
    rejects: pl.DataFrame
    rows: int
    responses: int
    columns: list[str]


def parse(rows: Iterable[Row | Bad], mapping: Mapping[str, str], stage: str, keyed: bool) -> Parsed:
    """Read rows into one frame.

    Args:
        mapping: a field of ALIASES to the file's own name for it.
        keyed: a row may name its response by generation_id instead of holding it.
    """
    reader = _Reader(mapping, stage, keyed)
    for row in rows:
        reader.add(row)
    return reader.done()


class _Reader:
    """Collects the responses of rows in frames, and rejects."""

    def __init__(self, mapping: Mapping[str, str], stage: str, keyed: bool) -> None:
        self._mapping, self._stage, self._keyed = mapping, stage, keyed
        self._seen: Counter[str] = Counter()
        self._wrong: list[tuple[str, ...]] = []
        self._frames: list[pl.DataFrame] = []
        self._chunk: list[tuple[Any, ...]] = []
        self._columns: list[str] = []
        self._held = self._refused = 0

    def add(self, row: Row | Bad) -> None:
        """Take one row of the file."""
        raw = row.raw if isinstance(row, Bad) else orjson.dumps(row, default=str).decode()
        item = self._item(raw)
        if isinstance(row, Bad):
            self._reject(item, row.rule, row.detail, raw)
            return
        self._columns = self._columns or list(row)
        try:
            found = list(_responses(row, self._mapping, item, self._keyed))
        except WrongError as error:
            self._reject(item, *error.args, raw)
            return
        self._held += _count(row, self._mapping)
        for one in found:
            if why := _unusable(one[3]):
                self._refused += 1
                self._reject(one[0], *why, raw)
            else:
                self._chunk.append(one)
        if len(self._chunk) >= _CHUNK:
            self._flush()

    def done(self) -> Parsed:
        """All that was read."""
        self._flush()
        frame = pl.concat(self._frames)
        if self._held != frame.height + self._refused:
            told = f"{frame.height} are read, {self._refused} rejected"
            raise AssertionError(f"{self._stage}: the rows hold {self._held} responses; {told}")
        rejects = pl.DataFrame(self._wrong, schema=REJECTS.polars, orient="row")
        return Parsed(frame, rejects, self._seen.total(), self._held, self._columns)

    def _item(self, raw: str) -> str:
        """A name by content; equal rows are numbered."""
        digest = hashlib.sha256(raw.encode("utf-8", "backslashreplace")).hexdigest()[:24]
        self._seen[digest] += 1
        return f"imported:{digest}:{self._seen[digest] - 1}"

    def _reject(self, item: str, *why: str) -> None:
        self._wrong.append((self._stage, item, "imported", *why))

    def _flush(self) -> None:
        self._frames.append(pl.DataFrame(self._chunk, schema=PARSED, orient="row"))
        self._chunk = []


def _count(row: Row, mapping: Mapping[str, str]) -> int:
    """Responses of a row: a list of rewards or of texts has one each, anything else is one."""
    lists = [_listed(_value(row, field, mapping)) for field in ("reward", "response")]
    sizes = [len(one) for one in lists if isinstance(one, list) and not any(map(is_turn, one))]
    return max(sizes, default=1) if isinstance(lists[0], list) or _several(row, mapping) else 1


def _several(row: Row, mapping: Mapping[str, str]) -> bool:
    """Whether the response's column is a list, and no list written as text."""
    return isinstance(_value(row, "response", mapping), list)


def _unusable(text: str | None) -> tuple[str, str] | None:
    """Rule and detail of a response that no table may hold."""
    if text is None:
        return None
    if not text.strip():
        return "empty_response", "empty or white space"
    token = control_token(text)
    return None if token is None else ("control_tokens", f"the response holds {token}")


def _responses(
    row: Row, mapping: Mapping[str, str], item: str, keyed: bool
) -> Iterator[tuple[Any, ...]]:
    """One tuple of PARSED for each response that a row holds."""
    for name in TOOL_COLUMNS:
        if row.get(name) and given(row[name]):
            raise WrongError("tool_calls", f"{name}: declared beside the conversation")
    get = {field: _value(row, field, mapping) for field in ALIASES}
    if keyed and isinstance(get["generation_id"], str):
        yield (item, get["generation_id"], None, None, *[None] * 4, *_reward(get["reward"]))
        return
    shared = (
        None if get["policy"] is None else str(get["policy"]),
        _number(get["temperature"], "temperature"),
        _finish(row, mapping),
    )
    messages = prompt(_asked(row, get["prompt"]), get["system"], get["history"])
    for place, text, reward in _answers(get):
        name = item if place is None else f"{item}:{place}"
        number = _place(get["sample"]) if place is None else place
        yield (name, None, messages, text, shared[0], number, *shared[1:], *_reward(reward))


def _asked(row: Row, value: Any) -> Any:
    """The prompt; an instruction's input stands below it."""
    more = row.get("input")
    if isinstance(value, str) and value is row.get("instruction") and isinstance(more, str):
        return f"{value}\n\n{more}" if more.strip() else value
    return value


def _answers(get: Mapping[str, Any]) -> list[tuple[int | None, str, Any]]:
    """Place in the row's list (None where it holds one response), text and reward."""
    said, rewards = get["response"], _listed(get["reward"])
    said = _listed(said) if isinstance(rewards, list) else said  # lists may be written as text
    texts = answers(said)
    if isinstance(texts, str):
        return [(None, texts, rewards)]
    if rewards is None:
        rewards = [None] * len(texts)
    if not isinstance(rewards, list) or len(rewards) != len(texts):
        raise WrongError("wrong_type", "as many rewards as responses are needed")
    return list(zip(range(len(texts)), texts, rewards, strict=True))


def _listed(value: Any) -> Any:
    found = decoded(value) if isinstance(value, str) else value
    return found if isinstance(found, list) else value


def _value(row: Row, field: str, mapping: Mapping[str, str]) -> Any:
    if field in mapping:
        return row.get(mapping[field])
    return next((row[name] for name in ALIASES[field] if name in row), None)


def _number(value: Any, field: str) -> float | None:
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise WrongError("wrong_type", f"{field} is not a number: {str(value)[:60]!r}")
    return number


def _place(value: Any) -> int | None:
    """Which of a prompt's responses this is: a whole number from 0."""
    number = _number(value, "sample")
    if number is None:
        return None
    if number < 0 or not number.is_integer():
        raise WrongError("wrong_type", f"sample is no whole number from 0: {str(value)[:60]!r}")
    return int(number)


def _finish(row: Row, mapping: Mapping[str, str]) -> str:
    """Stop or length; stop where the file doesn't say. A draw that failed is no response."""
    name = mapping.get("finish_reason", "finish_reason")
    value = row.get(name, "stop")
    word = value.lower() if isinstance(value, str) else None
    if word in ("", *_STOPS):
        return "stop"
    if word in _LENGTHS:
        return "length"
    told = "null" if value is None else repr(str(value)[:60])
    raise WrongError("failed_draw", f"{name} is {told}: neither a stop nor a length limit")


def _reward(value: Any) -> tuple[float | None, str | None]:
    """A finite reward, or null with the reason: a failed judgement is no reject."""
    if value is None:
        return None, "null in the file"
    try:
        number = float(value) if not isinstance(value, bool) else float(int(value))
    except (TypeError, ValueError):
        return None, f"not a number: {str(value)[:60]!r}"
    if not math.isfinite(number):
        return None, f"not finite: {number}"
    return number, None
