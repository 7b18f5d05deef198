"""What a chat template writes around contents, found by rendering contents that are known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from curation.core.errors import UserError
from training.core.rendering import Messages, Renderer
from training.core.spans import agreeing

_WORDS = ("Zebrafinch", "Quokkabara", "Wombatross", "Ocelotter")
_MARKER = re.compile(r"<</?\w+>>|</?[^<>\s]{1,40}>|\[/?[A-Z_]{3,}\]")


@dataclass(frozen=True)
class Structure:
    """The text of a template around contents.

    Attributes:
        header: what stands between a generation prompt and an assistant's content.
        tail: what follows the last assistant's content.
        trims: whether the template trims an assistant's content at its start, and at its end.
        tokens: added tokens of the tokenizer that are not special but that begin or end turns.
        markers: texts of several tokens that begin or end turns, such as `[INST]`.
        turns: all that begins or ends turns, of one token or of several.
    """

    header: str
    tail: str
    trims: tuple[bool, bool]
    tokens: tuple[str, ...]
    markers: tuple[str, ...]
    turns: tuple[str, ...]


def found(renderer: Renderer, tokenizer: Any) -> Structure:
    """Find the structure of one tokenizer's template.

    Raises:
        UserError: the template does not print contents, or prints them out of order.
    """
    between = _between(renderer, _dialogue())
    header, tail, trims = _around(renderer)
    tokens = {str(one): one.special for one in tokenizer.added_tokens_decoder.values()}
    names = _names(between, [name for name in tokens if name.strip()])
    return Structure(
        header,
        tail,
        trims,
        tuple(name for name in names if tokens.get(name) is False),
        tuple(name for name in names if name not in tokens and _several(tokenizer, name)),
        tuple(names),
    )


def _dialogue() -> Messages:
    return [
        {"role": "user" if place % 2 == 0 else "assistant", "content": word}
        for place, word in enumerate(_WORDS)
    ]


def _between(renderer: Renderer, messages: Messages) -> list[str]:
    """The texts before, between and after the contents of a conversation."""
    rest = _whole(renderer, messages)
    parts = []
    for message in messages:
        before, word, rest = rest.partition(message["content"])
        if not word:
            raise UserError(
                f"chat template of {renderer.name}: it does not print the text of a message of "
                f"role {message['role']} in its place; name another by base.chat_template"
            )
        parts.append(before)
    return [*parts, rest]


def _whole(renderer: Renderer, messages: Messages) -> str:
    """The text of a conversation that any template for chats must take."""
    try:
        return renderer.render([messages], False)[0]
    except UserError as error:
        if error.__cause__ is None:
            raise
        raise UserError(
            f"chat template of {renderer.name}: it refuses a conversation of plain texts "
            f"({str(error.__cause__).splitlines()[0]}); name another by base.chat_template"
        ) from error


def _around(renderer: Renderer) -> tuple[str, str, tuple[bool, bool]]:
    """What stands around an assistant's content, and which of its ends the template trims."""
    asked, word = {"role": "user", "content": _WORDS[0]}, _WORDS[1]
    plain, padded = renderer.render(
        [
            [asked, {"role": "assistant", "content": word}],
            [asked, {"role": "assistant", "content": f"  {word}  "}],
        ],
        False,
    )
    before, _, tail = plain.partition(word)
    left, _, right = padded.partition(word)
    header = before[agreeing(before, renderer.render([[asked]], True)[0]) :]
    return header, tail, (len(left) - len(before) < 2, len(right) - len(tail) < 2)


def _names(between: list[str], added: list[str]) -> list[str]:
    """Names of markers that begin and end turns, each once.

    Before an assistant's content a template may also write what models say themselves, such as
    `<think>`: there only the name that opens the turn counts, the first that ends none.
    """
    _, first_answer, turn, last_answer, end = between
    ends = _in(end, added)
    seen = dict.fromkeys([*_in(turn, added), *ends])
    for header in (first_answer, last_answer):
        openers = [name for name in _in(header, added) if name not in ends]
        seen |= dict.fromkeys(openers[:1])
    return list(seen)


def _in(text: str, added: list[str]) -> list[str]:
    """Markers in the order of the text."""
    places = {name: text.find(name) for name in added if name in text}
    places |= {match[0]: match.start() for match in _MARKER.finditer(text)}
    return sorted(places, key=lambda name: (places[name], -len(name)))


def _several(tokenizer: Any, name: str) -> bool:
    return len(tokenizer(name, add_special_tokens=False)["input_ids"]) > 1
