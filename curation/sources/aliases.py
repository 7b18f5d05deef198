"""Names that people give to one column: where a file lacks a format's own, the next stands in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from curation.sources.base import Format, Options

_SCORES = ("score", "rating", "reward", "grade", "quality")
_KINDS = ("", "avg_", "mean_", "average_", "overall_", "total_", "final_", "rm_", "raw_")


def _scores(side: str) -> tuple[str, ...]:
    words = [kind + word for word in _SCORES for kind in _KINDS]
    return tuple(form for word in words for form in (f"{side}_{word}", f"{word}_{side}"))


_QUESTIONS = ("question", "query", "problem", "instruction", "input", "user_prompt")
_TURNS = ("messages", "context_messages", "conversations", "conversation")
ALIASES: tuple[tuple[str, ...], ...] = (
    _scores("chosen"),
    _scores("rejected"),
    ("prompt", *_QUESTIONS, *_TURNS),
    ("messages", "context_messages", "conversations", "conversation", "data"),
    ("chosen", "chosen_response", "response_chosen", "accepted", "preferred", "chosen_answer"),
    (
        *("rejected", "rejected_response", "response_rejected", "rejected_answer"),
        *("dispreferred", "not_preferred"),
    ),
    *(
        (f"{side}_model", f"model_{side}", f"{side}_model_name", f"{side}_generator")
        for side in ("chosen", "rejected")
    ),
    ("model_a", "model_1", "model_name_a"),
    ("model_b", "model_2", "model_name_b"),
    ("system", "system_prompt", "system_message", "system_instruction", "sys"),
    ("history", "chat_history", "conversation_history", "dialogue_history"),
    ("label", "winner", "preference", "preferred", "overall_preference", "verdict", "choice"),
    # two responses are counted from 0 or from 1
    ("response_a", "answer_a", "output_a", "completion_a", "response_0", "response_1"),
    ("response_b", "answer_b", "output_b", "completion_b", "response_2", "response_1"),
    ("responses", "completions", "generations", "all_generated_responses", "answers", "outputs"),
    ("scores", "rewards", "ratings", "all_rm_scores"),
)
"""Groups of names; a name of a format that is in several has the first group's."""


def with_aliases(form: Format, options: Options, names: Iterable[str]) -> Options:
    """The options with the file's own names for columns that it has under an alias only.

    Case, hyphens and camel case make no other name: chosenRating is chosen_rating.

    Args:
        names: The file's columns.
    """
    have = list(names)
    theirs = {_plain(name): name for name in reversed(have)}
    given = dict(options.get("columns", {}))
    used = {*given.values(), options.get("column")}
    wanted = dict.fromkeys(name for layout in form.layouts for name in layout.columns)
    for name in wanted:
        if name in have or name in given:
            continue
        for one in _names(name, theirs):
            found = theirs.get(_plain(one))
            if found is not None and found not in used and found not in wanted:
                given[name] = found
                used.add(found)
                break
    return {**options, "columns": given} if given else options


def _names(name: str, theirs: Iterable[str]) -> Iterator[str]:
    """The names a column may have, its own first."""
    yield name
    # an instruction that has an input is not all of the prompt
    split = _INSTRUCTED if set(theirs) >= _INSTRUCTED else frozenset()
    yield from (one for one in next((g for g in ALIASES if name in g), ()) if one not in split)


_INSTRUCTED = frozenset({"instruction", "input"})


def _plain(name: str) -> str:
    """A name in lower case with underscores, however it is written."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    joined = re.sub(r"[^a-z0-9]+", "_", apart.lower())
    return re.sub(r"(?<=[a-z])(?=[0-9])", "_", joined).strip("_")
