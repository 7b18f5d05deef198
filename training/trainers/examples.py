"""Token examples for the trainers, all encoded by the one chat-template function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from curation.core.errors import UserError
from training.core.chat_template import ChatTemplate, Messages
from training.core.sampled import TEXT, Sampled, token_ids

IGNORE = -100  # the label that torch's cross entropy leaves out


@dataclass(frozen=True)
class Comparison:
    """One labelled comparison: the prompt's messages, two responses and a margin.

    Each response is a text and, where it was sampled, what was: its token ids are taken then.
    """

    key: str
    prompt: Messages
    chosen: str
    rejected: str
    margin: float | None = None
    chosen_sampled: Sampled = TEXT
    rejected_sampled: Sampled = TEXT


@dataclass(frozen=True)
class Fitted:
    """Examples that fit in max_length, and how many did not."""

    rows: list[dict[str, Any]]
    too_long: int


def conversations(
    template: ChatTemplate, items: Sequence[Messages], max_length: int, completion_only: bool
) -> Fitted:
    """Examples of next-token training: input_ids and labels.

    With `completion_only` the loss counts the assistant's turns alone, their end tokens included.
    """
    rows = [
        {
            "input_ids": ids,
            "labels": [
                token if answer or not completion_only else IGNORE
                for token, answer in zip(ids, said, strict=True)
            ],
        }
        for ids, said in template.encode_answers(items)
    ]
    return _fitting(rows, max_length, lambda row: len(row["input_ids"]))


def pairs(template: ChatTemplate, items: Sequence[Comparison], max_length: int) -> Fitted:
    """Examples of pairwise training: key, prompt_ids, chosen_ids, rejected_ids, margin.

    The chosen_ids and rejected_ids are the completions alone; one that was cut has no end token.
    """
    prompts, chosen, rejected = encoded(template, items)
    rows = [
        {
            "key": item.key,
            "prompt_ids": prompts[index],
            "chosen_ids": chosen[index],
            "rejected_ids": rejected[index],
            "margin": item.margin,
        }
        for index, item in enumerate(items)
    ]
    return _fitting(rows, max_length, _pair_length)


def encoded(
    template: ChatTemplate, items: Sequence[Comparison]
) -> tuple[list[list[int]], list[list[int]], list[list[int]]]:
    """Token ids of the prompts, the chosen and the rejected responses, in the items' order."""
    asked = [item.prompt for item in items]
    sides = [
        token_ids(
            template,
            asked,
            [item.chosen for item in items],
            [item.chosen_sampled for item in items],
        ),
        token_ids(
            template,
            asked,
            [item.rejected for item in items],
            [item.rejected_sampled for item in items],
        ),
    ]
    return template.encode_many(asked, add_generation_prompt=True), sides[0], sides[1]


def _pair_length(row: dict[str, Any]) -> int:
    return len(row["prompt_ids"]) + max(len(row["chosen_ids"]), len(row["rejected_ids"]))


def _fitting(rows: list[dict[str, Any]], max_length: int, length: Any) -> Fitted:
    kept = [row for row in rows if length(row) <= max_length]
    if not kept:
        raise UserError(
            f"max_length: none of {len(rows)} examples fits in {max_length} tokens; raise it"
        )
    return Fitted(kept, len(rows) - len(kept))
