"""Which tokens of a conversation an assistant said, for any template."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from training.core.control import Control, Encoded


@dataclass(frozen=True)
class Turn:
    """An assistant's turn: its first token, and the content it holds."""

    first: int
    content: str


def agreeing(some: Sequence[object], others: Sequence[object]) -> int:
    """How many tokens, or characters, two sequences begin with alike."""
    both = zip(some, others, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], both))


def answers(
    whole: Encoded, turns: Sequence[Turn], control: Control, header: str
) -> Iterator[tuple[int, int]]:
    """First token and the one behind the last of every assistant's turn, its end token included.

    A turn ends at the first control token behind its content. No role header is a part of it.

    Args:
        header: what the template writes between a generation prompt and a content; a content is
            looked for behind it.
    """
    limits = [*(turn.first for turn in turns[1:]), len(whole.ids)]
    for turn, limit in zip(turns, limits, strict=True):
        if turn.first >= limit:
            continue
        behind = max(whole.token_at(_behind(whole, turn, header)), turn.first)
        place = behind
        while place < limit and whole.ids[place] not in control:
            place += 1
        yield turn.first, place + 1 if place < limit else behind


def _behind(whole: Encoded, turn: Turn, header: str) -> int:
    """Where a turn's content ends; a template may have left out the thoughts in front of it."""
    start = whole.offsets[turn.first][0]
    start += len(header) if whole.text.startswith(header, start) else 0
    for said in (turn.content.strip(), turn.content.rpartition("</think>")[2].strip()):
        place = whole.text.find(said, start)
        if place >= 0:
            return place + len(said)
    return start
