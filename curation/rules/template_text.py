"""Chat templates in plain words: prompts that end where the assistant is to speak."""

from __future__ import annotations

import re

import polars as pl

_COLON = r"\s*[:\uff1a]"
_ASSISTANT = (
    r"(?:### ?(?:Assistant|Response)|ASSISTANT|Assistant|Bot|BOT|AI|\u7b54|\u52a9\u624b)" + _COLON
)
_USER = r"(?:### ?(?:Human|User|Instruction)|USER|User|Human|HUMAN|\u95ee|\u7528\u6237)" + _COLON
_ASKED, _OPEN = rf"(?:^|\s|Correct ){_USER}", rf"{_ASSISTANT}$"
_INSTRUCT, _OUTPUT = r"^Instruct:", r"\nOutput:$"
_TAIL = 32
"""Characters of a prompt's end that are looked at first: few end so, and the rest costs nothing."""


def templated(text: pl.Expr) -> pl.Expr:
    """Whether a text went through a template of words: a user's mark, an assistant's at its end.

    Vicuna, Alpaca, Anthropic's transcripts, Guanaco, OpenChat, ChatGLM 2, Phi-2 and their like.
    """
    bare = text.str.strip_chars_end()
    tail = bare.str.tail(_TAIL)
    found = [
        pl.when(tail.str.contains(end)).then(bare).str.contains(start)
        for start, end in ((_ASKED, _OPEN), (_INSTRUCT, _OUTPUT))
    ]
    return pl.any_horizontal(*found).fill_null(False)


def is_templated(text: str) -> bool:
    """The same of one text."""
    bare = text.rstrip()
    return any(
        re.search(end, bare[-_TAIL:]) and re.search(start, bare)
        for start, end in ((_ASKED, _OPEN), (_INSTRUCT, _OUTPUT))
    )
