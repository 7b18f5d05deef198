"""Message lists as Polars expressions: built from native forms, measured, compared."""

from __future__ import annotations

import polars as pl

from curation.core.schema import MESSAGES

_SPEAKERS = {
    "user": ("human", "user", "prompter"),
    "assistant": (
        *("gpt", "chatgpt", "bing", "bard", "claude", "model", "chatbot", "bot", "ai", "llm"),
        "assistant",
    ),
    "system": ("system", "developer"),
}
ROLES = {
    spelling: role
    for role, names in _SPEAKERS.items()
    for name in names
    for spelling in (name, name.capitalize(), name.upper())
}
"""Native speaker names and the roles they stand for; a name not here stays as it is."""

_MARK = "\ufdd0"  # a Unicode noncharacter: never part of interchanged text
_EXTRA = "<extra_id_1>"
_EXTRA_TURNS = {"<extra_id_0>System": "s", f"{_EXTRA}User": "u", f"{_EXTRA}Assistant": "a"}
_HUMAN, _ASSISTANT = "\n\nHuman:", "\n\nAssistant:"


def message(role: str, content: pl.Expr) -> pl.Expr:
    """One message struct; a null content becomes empty, which the structural rules reject."""
    return pl.struct(pl.lit(role).alias("role"), content.fill_null("").alias("content"))


def conversation(*messages: pl.Expr) -> pl.Expr:
    """A message list of the given message structs."""
    return pl.concat_list(*messages).cast(MESSAGES)


def user(content: pl.Expr) -> pl.Expr:
    """A message list of one user turn."""
    return conversation(message("user", content))


def assistant(content: pl.Expr) -> pl.Expr:
    """A message list of one assistant turn."""
    return conversation(message("assistant", content))


def with_system(system: pl.Expr, rest: pl.Expr) -> pl.Expr:
    """`rest` behind a system turn, or alone where the system text is null or blank."""
    blank = system.is_null() | (system.str.strip_chars() == "")
    return (
        pl.when(blank)
        .then(rest)
        .otherwise(pl.concat_list(conversation(message("system", system)), rest))
    )


def led_by(system: pl.Expr, rest: pl.Expr) -> pl.Expr:
    """`with_system`, but once where the list begins with this very system turn."""
    first = rest.list.first().struct
    there = (first.field("role") == "system") & (first.field("content") == system)
    return pl.when(there.fill_null(False)).then(rest).otherwise(with_system(system, rest))


def role_names(messages: pl.Expr, role: str, content: str, fill: bool = True) -> pl.Expr:
    """A message list from a list of structs whose fields for speaker and text have other names.

    Args:
        fill: A message without text gets an empty one.
    """
    speaker = pl.element().struct.field(role)
    text = pl.element().struct.field(content)
    text = text.fill_null("") if fill else text
    return messages.list.eval(
        pl.struct(speaker.replace(ROLES).alias("role"), text.alias("content"))
    ).cast(MESSAGES)


def transcript(text: pl.Expr) -> pl.Expr:
    r"""A message list from one text with ``\n\nHuman:`` and ``\n\nAssistant:`` turns.

    The white space around each turn belongs to the form, not to the content, and is removed. Text
    before the first turn becomes a message with the role "none", which no rule lets pass.
    """
    codes = text.str.replace_all(_HUMAN, f"{_MARK}u", literal=True).str.replace_all(
        _ASSISTANT, f"{_MARK}a", literal=True
    )
    headless = ~codes.str.starts_with(_MARK)
    codes = pl.when(headless).then(pl.concat_str(pl.lit(f"{_MARK}n"), codes)).otherwise(codes)
    return _spoken(codes)


def marked(text: pl.Expr) -> pl.Expr:
    r"""A message list from one text with ``<extra_id_1>User`` and ``<extra_id_1>Assistant`` lines.

    HelpSteer2's and Nemotron's form: what stands before the first mark is the user's, and an open
    assistant's mark at the end says nothing. A text without marks is one user turn as it is.
    """
    codes = text.str.replace(rf"\s*{_EXTRA}Assistant\s*$", "")
    for pattern, code in _EXTRA_TURNS.items():
        codes = codes.str.replace_all(rf"\n?{pattern}(?:\n|$)", f"{_MARK}{code}")
    headless = ~codes.str.starts_with(_MARK)
    codes = pl.when(headless).then(pl.concat_str(pl.lit(f"{_MARK}u"), codes)).otherwise(codes)
    there = text.str.contains(_EXTRA, literal=True)
    return pl.when(there).then(_spoken(codes)).otherwise(user(text))


def _spoken(codes: pl.Expr) -> pl.Expr:
    """A message list from turns that each begin with the mark and the letter of their speaker."""
    kind, content = pl.element().str.slice(0, 1), pl.element().str.slice(1).str.strip_chars()
    role = kind.replace_strict(
        {"u": "user", "a": "assistant", "s": "system"}, default="none", return_dtype=pl.String
    )
    turn = pl.struct(role.alias("role"), content.alias("content"))
    return codes.str.split(_MARK).list.slice(1).list.eval(turn).cast(MESSAGES)


def contents(messages: pl.Expr) -> pl.Expr:
    """The contents of a message list, as a list of strings."""
    return messages.list.eval(pl.element().struct.field("content"))


def chars(messages: pl.Expr) -> pl.Expr:
    """Characters in all contents of a message list."""
    lengths = messages.list.eval(pl.element().struct.field("content").str.len_chars())
    return lengths.list.sum().cast(pl.Int64)


def turns(messages: pl.Expr) -> pl.Expr:
    """Messages of a list that are not system messages."""
    spoken = messages.list.eval(pl.element().struct.field("role") != "system")
    return spoken.list.sum().cast(pl.Int64)


def role_letters(messages: pl.Expr) -> pl.Expr:
    """The roles as one string: s, u and a for the three roles, x for any other."""
    role = pl.element().struct.field("role")
    letter = role.replace_strict(
        {"system": "s", "user": "u", "assistant": "a"}, default="x", return_dtype=pl.String
    )
    return messages.list.eval(letter).list.join("")


def text(messages: pl.Expr) -> pl.Expr:
    """All contents of a message list as one string."""
    return contents(messages).list.join("\n")
