"""Short facts in free text: whether a response says an accepted answer, however it words it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_NUMBERS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen twenty
"""
_DIGITS = {word: str(number) for number, word in enumerate(_NUMBERS.split())}
_DENIED = {"not", "never", "isnt", "arent", "wasnt", "no"}
_BEFORE = 2  # words before an answer in which a denial takes it back


def says(response: str, answers: Sequence[Sequence[str]]) -> bool:
    """Whether the response says one accepted wording of every answer asked for.

    Case, accents, punctuation, articles' places and small numbers in words make no difference; an
    answer that is denied right before it ("not Paris") is not said.

    Args:
        answers: the accepted wordings of each answer.
    """
    said = plain(response)
    return all(any(_said(said, plain(one)) for one in wordings) for wordings in answers)


def plain(text: str) -> list[str]:
    """A text's words in lower case without accents, small numbers as digits."""
    apart = unicodedata.normalize("NFKD", re.sub(r"(?<=\d),(?=\d{3})", "", text))
    bare = "".join(char for char in apart if not unicodedata.combining(char))
    found = re.findall(r"[a-z]+|\d+(?:\.\d+)?", re.sub(r"['\u2019]", "", bare.lower()))
    return [_DIGITS.get(word, word) for word in found]


def _said(said: Sequence[str], answer: Sequence[str]) -> bool:
    size = len(answer)
    places = (at for at in range(len(said) - size + 1) if list(said[at : at + size]) == answer)
    return any(not _DENIED & set(said[max(0, at - _BEFORE) : at]) for at in places)
