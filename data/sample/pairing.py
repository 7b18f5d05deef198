"""Pairs of responses, and mutations of native rows made from edits of one text."""

from __future__ import annotations

import random
from collections.abc import Callable

from data.sample.maker import Maker, Mutation, Row
from data.sample.mutations import blank
from data.sample.world import Task
from data.sample.writers import MIX_WRITERS, respond, respond_distinct

Pair = tuple[str, str]
Sides = tuple[str, ...]
BOTH: Sides = ("chosen", "rejected")
Edit = Callable[[str, random.Random], str]


def compare(maker: Maker, prompt: str, task: Task, rng: random.Random) -> Pair:
    """(chosen, rejected): two different responses, as the noisy annotator labelled them."""
    texts = respond_distinct(task, [rng.choice(MIX_WRITERS), rng.choice(MIX_WRITERS)], rng)
    best, worst = maker.ranking(prompt, texts, rng)
    return texts[best], texts[worst]


def earlier_turn(maker: Maker, rng: random.Random) -> Pair:
    """(question, answer): a finished exchange to open a conversation with."""
    task, prompt = maker.prompt(rng)
    return prompt, respond(task, MIX_WRITERS[0], rng)


def edit_fields(fields: tuple[str, ...], edit: Edit) -> Mutation:
    """A mutation that edits one of the row's text fields."""

    def mutate(row: Row, rng: random.Random) -> None:
        field = rng.choice(fields)
        row[field] = edit(row[field], rng)

    return mutate


def emptied(_: str, rng: random.Random) -> str:
    """An empty response in the place of any text."""
    return blank(rng)


def copied(target: str, origin: str) -> Mutation:
    """A mutation that writes one field over another."""

    def mutate(row: Row, _: random.Random) -> None:
        row[target] = row[origin]

    return mutate
