"""Format constraints that a program can judge: one function a kind, text in, verdict out.

Every function takes the response and the arguments that the prompt's row names, and says whether
the response keeps what was asked. An empty response keeps nothing (`kept`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_SHORT = r"\b(?:[A-Za-z]\.(?:[A-Za-z]\.)+|(?:Dr|Mr|Mrs|Ms|St|vs|etc|approx|No)\.)"
_END = re.compile(r"[.!?]+[\"'\u201d\u2019)\]*_]*(?=\s|$)")
_NUMBERED = re.compile(r"^\s*(\d+)[.)]\s+\S", re.MULTILINE)
_BULLET = re.compile(r"^\s*[-*\u2022+]\s+\S", re.MULTILINE)
_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_TITLE = 10  # words of a title, at most


def words(text: str) -> list[str]:
    """The words of a text; what hyphen or apostrophe joins is one."""
    return _WORD.findall(text)


def sentences(text: str) -> int:
    """How many sentences a text holds; one without an end counts, a list's number does not."""
    plain = re.sub(_SHORT, lambda found: found[0].replace(".", ""), text)
    plain = re.sub(r"^\s*\d+[.)]\s+", "", plain, flags=re.MULTILINE)
    parts = _END.split(plain.strip())
    return sum(1 for part in parts if words(part))


def one_sentence(text: str) -> bool:
    """Exactly one sentence."""
    return sentences(text) == 1


def two_sentences(text: str) -> bool:
    """Exactly two sentences."""
    return sentences(text) == 2


def three_sentences(text: str) -> bool:
    """Exactly three sentences."""
    return sentences(text) == 3


def at_most_words(text: str, n: int) -> bool:
    """At most n words."""
    return len(words(text)) <= n


def at_least_words(text: str, n: int) -> bool:
    """At least n words."""
    return len(words(text)) >= n


def words_between(text: str, low: int, high: int) -> bool:
    """Between low and high words, both included."""
    return low <= len(words(text)) <= high


def numbered(text: str, n: int) -> bool:
    """A numbered list of exactly n items, counted from 1."""
    return [int(found) for found in _NUMBERED.findall(text)] == list(range(1, n + 1))


def bullets(text: str, n: int) -> bool:
    """Exactly n lines that begin with a bullet."""
    return len(_BULLET.findall(text)) == n


def mention(text: str, wanted: Sequence[str]) -> bool:
    """Every wanted word or phrase occurs, in whatever case, as whole words."""
    return all(_times(text, one) for one in wanted)


def mention_twice(text: str, word: str) -> bool:
    """The word occurs at least twice."""
    return _times(text, word) >= 2


def starts_with(text: str, phrase: str) -> bool:
    """The response begins with the phrase, in whatever case; quotes and stars before it may be."""
    return text.lstrip("\"'*_\u201c\u2018 \n").lower().startswith(phrase.lower())


def exclamation(text: str) -> bool:
    """At least one exclamation mark."""
    return "!" in text


def one_paragraph(text: str) -> bool:
    """No line break inside the response."""
    return "\n" not in text.strip()


def has_digits(text: str) -> bool:
    """At least one number in digits that is not the number of a list."""
    return bool(re.search(r"\d", re.sub(r"^\s*\d+[.)]\s", "", text, flags=re.MULTILINE)))


def no_digits(text: str) -> bool:
    """No digit occurs."""
    return not re.search(r"\d", text)


def bold(text: str) -> bool:
    """At least one phrase between two pairs of stars."""
    return bool(re.search(r"\*\*[^*\n]+\*\*", text))


def capitals(text: str) -> bool:
    """At least one word of four letters or more in capitals only."""
    return any(len(word) >= 4 and word.isupper() for word in words(text))


def one_word(text: str) -> bool:
    """Exactly one word."""
    return len(words(text)) == 1


def title(text: str) -> bool:
    """A first line of at most ten words without a full stop, an empty line, and then more."""
    first, gap, rest = text.strip().partition("\n\n")
    head = first.strip("#*_ :")
    short = "\n" not in first and 0 < len(words(head)) <= _TITLE and not head.endswith(".")
    return bool(gap) and short and bool(words(rest))


def kept(kind: str, text: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a response keeps the constraint of this kind.

    Raises:
        KeyError: there is no such kind.
    """
    rule: Callable[..., bool] = KINDS[kind]
    return bool(words(text)) and rule(text, **arguments)


def _times(text: str, phrase: str) -> int:
    return len(re.findall(rf"(?<!\w){re.escape(phrase)}(?!\w)", text, re.IGNORECASE))


KINDS: dict[str, Callable[..., bool]] = {
    rule.__name__: rule
    for rule in (
        *(one_sentence, two_sentences, three_sentences, at_most_words, at_least_words),
        *(words_between, numbered, bullets, mention, mention_twice, starts_with, exclamation),
        *(one_paragraph, has_digits, no_digits, bold, capitals, one_word, title),
    )
}
"""Kind of constraint -> its function."""
