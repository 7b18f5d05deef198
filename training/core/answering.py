"""A text as the answer to a generation prompt: what stands between the two, and what does not.

The ids of a generation prompt are fixed, for every sampler starts from them. A template may write
an answer otherwise than its own generation prompt begins one:

- it goes on from the prompt, perhaps with a line or an empty block of thoughts before the answer,
  or with other blanks: the conversation is taken as the template writes it;
- it parts from the prompt in blanks alone (Nemotron asks by `<think>` and a line break, and writes
  `<think></think>`): what it writes behind them follows the prompt;
- it loses a part of the answer (DeepSeek-R1 drops thoughts), or parts from the prompt in more than
  blanks: the answer follows the prompt as it stands, with the template's end of a turn.

An answer that begins with what the prompt has opened, `<think>`, does not open it again.
"""

from __future__ import annotations

import re

from training.core.spans import agreeing

_OPENER = re.compile(r"\s*(<</?\w+>>|<[^<>\s]{1,40}>|\[[A-Z_]{3,}\])")


def behind(before: str, whole: str, text: str, tail: str, trims: tuple[bool, bool]) -> str:
    """What follows a generation prompt where a text answers it.

    Args:
        before: the generation prompt.
        whole: the conversation with the answer, as the template writes it.
        text: the answer.
        tail: what the template writes behind an answer.
        trims: whether it trims an answer's start, and its end.
    """
    said = _unopened(before, text)
    shared = len(before) if whole.startswith(before) else agreeing(before, whole)
    rest = whole[shared:]
    front = _front(rest, said + tail)
    if front is not None and not _doubles(front, said):
        if shared == len(before):
            return rest
        if front and not before[shared:].strip():
            return rest.lstrip()
    left, right = trims
    said = said.lstrip() if left and said == text else said
    return (said.rstrip() if right else said) + tail


def _unopened(before: str, text: str) -> str:
    """The text less the marker, such as `<think>`, that the prompt has opened already."""
    found = _OPENER.match(text)
    asked = before.rstrip()
    if found is None or not asked.endswith(found[1]):
        return text
    return text[found.end() :].removeprefix(before[len(asked) :])


def _front(rest: str, end: str) -> str | None:
    """What stands in front of an answer, blanks aside; None where a part of it is lost."""
    whole, last = _squeezed(rest), _squeezed(end)
    return whole.removesuffix(last) if whole.endswith(last) else None


def _doubles(front: str, said: str) -> bool:
    """Whether the template has opened what the answer opens too."""
    found = _OPENER.match(said)
    return found is not None and found[1] in front


def _squeezed(text: str) -> str:
    return "".join(text.split())
