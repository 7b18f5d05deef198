"""Planted defects: small edits of one text or one message list, each caught by one named rule."""

from __future__ import annotations

import random

Message = dict[str, str]

CONTROL = ("<|end|>", "<|user|>", "<|assistant|>")
LONG_LIST = "dog, cow, owl, cat, pig, hen, duck, horse, sheep, goat, bee, frog"


def blank(rng: random.Random) -> str:
    """An empty response: nothing or only white space."""
    return rng.choice(("", " ", "   ", "\n", "\t "))


def with_control_token(text: str, rng: random.Random) -> str:
    """The text with a token of the chat template inside."""
    return f"{text}{rng.choice(CONTROL)} {text}"


def with_nul(text: str, rng: random.Random) -> str:
    """The text with a NUL character inside."""
    place = rng.randrange(1, len(text))
    return f"{text[:place]}\x00{text[place:]}"


def over_long(text: str, rng: random.Random) -> str:
    """The prompt behind some 4,000 characters (1,000 and more tokens) of list."""
    return " ".join((f"{LONG_LIST},",) * rng.randrange(60, 66)) + " " + text


def disguised(question: str, rng: random.Random) -> str:
    """A benchmark's question in other case, spacing and punctuation."""
    edits = (str.upper, str.lower, lambda text: text.rstrip(".?") + " !", lambda text: f"  {text}")
    return rng.choice(edits)(question)


def user(content: str) -> Message:
    """A user turn."""
    return {"content": content, "role": "user"}


def assistant(content: str) -> Message:
    """An assistant turn."""
    return {"content": content, "role": "assistant"}
