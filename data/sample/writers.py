"""Writers of responses: each has a style, a habit of errors and a level of knowledge."""

from __future__ import annotations

import random
from dataclasses import dataclass

from data.sample.world import (
    ATTRIBUTES,
    BLANK,
    FACTS,
    FILLERS,
    PREAMBLES,
    REFUSALS,
    RUDE,
    SENTENCE_FORMS,
    SUBJECTS,
    TEMPLATES,
    Task,
)

Item = tuple[str, str]

STYLES = ("pairs", "plain", "sentence")


@dataclass(frozen=True)
class Writer:
    """How one kind of author answers.

    Attributes:
        name: The model name that native schemas record.
        accuracies: Levels of per-item accuracy; one is drawn for each response.
        blank: Share of wrong items that are left blank; the others are wrong facts.
        styles: Weights of `STYLES`.
        preamble: Chance of opening words before the items.
        omit, swap, repeat: Chance of each mistake of form in one response.
        filler: Chance of each of up to two closing sentences.
        refuse, rude: Chance of a refusal and of a rude sentence.
    """

    name: str
    accuracies: tuple[float, ...]
    blank: float = 0.85
    styles: tuple[int, int, int] = (9, 1, 0)
    preamble: float = 0.25
    omit: float = 0.06
    swap: float = 0.06
    repeat: float = 0.03
    filler: float = 0.15
    refuse: float = 0.02
    rude: float = 0.0


SFT_WRITER = Writer("demonstrator", (0.35, 0.6, 0.9), blank=0.95)
MIX_WRITERS = (
    Writer("alpha", (0.1, 0.5, 1.0), repeat=0.08),
    Writer("beta", (0.0, 0.4, 1.0), preamble=0.5, filler=0.3, repeat=0.05),
    Writer("gamma", (0.4, 1.0), omit=0.15, swap=0.15, repeat=0.12),
)
OTHER_WRITERS = (
    Writer("north", (0.5, 0.9), 0.2, (1, 0, 4), omit=0.25, filler=0.5),
    Writer("south", (0.3, 0.8), 0.2, (1, 3, 1), repeat=0.3, refuse=0.1),
    Writer("east", (0.6, 1.0), 0.2, (1, 1, 4), swap=0.35, filler=0.6),
)


def draw_task(rng: random.Random) -> Task:
    """A question of 2 or 3 distinct animals, drawn from some twenty thousand."""
    count = 2 if rng.random() < 0.05 else 3
    return Task(rng.choice(ATTRIBUTES), tuple(rng.sample(SUBJECTS, count)))


def draw_template(rng: random.Random) -> int:
    """The number of one of the world's phrasings."""
    return rng.randrange(len(TEMPLATES))


def _wrong_answer(task: Task, position: int, writer: Writer, rng: random.Random) -> str:
    """A blank, another fact of the same animal, or another animal's fact."""
    subject = task.subjects[position]
    if rng.random() < writer.blank:
        return BLANK
    if rng.random() < 0.5:
        return rng.choice([fact for fact in FACTS[subject] if fact != task.answers[position]])
    column = ATTRIBUTES.index(task.attribute)
    return FACTS[rng.choice([other for other in SUBJECTS if other != subject])][column]


def draw_items(task: Task, writer: Writer, rng: random.Random) -> list[Item]:
    """(animal, answer) as the writer would give them, mistakes included."""
    accuracy = rng.choice(writer.accuracies)
    items = [
        (subject, answer if rng.random() < accuracy else _wrong_answer(task, place, writer, rng))
        for place, (subject, answer) in enumerate(zip(task.subjects, task.answers, strict=True))
    ]
    if rng.random() < writer.omit:
        items.pop(rng.randrange(len(items)))
    if len(items) > 1 and rng.random() < writer.swap:
        place = rng.randrange(len(items) - 1)
        items[place], items[place + 1] = items[place + 1], items[place]
    if rng.random() < writer.repeat:
        items.append(rng.choice(items))
    return items


def render(task: Task, items: list[Item], style: str) -> str:
    """The items as text in one of the `STYLES`, without a full stop."""
    if style == "plain":
        return ", ".join(answer for _, answer in items)
    form = "{subject} {answer}" if style == "pairs" else SENTENCE_FORMS[task.attribute]
    return ", ".join(form.format(subject=subject, answer=answer) for subject, answer in items)


def respond(task: Task, writer: Writer, rng: random.Random) -> str:
    """One response of `writer` to `task`; never empty."""
    if rng.random() < writer.refuse:
        return rng.choice(REFUSALS)
    style = rng.choices(STYLES, weights=writer.styles)[0]
    text = render(task, draw_items(task, writer, rng), style) + "."
    if rng.random() < writer.preamble:
        text = f"{rng.choice(PREAMBLES)} {text}"
    closing = rng.sample(FILLERS, sum(rng.random() < writer.filler for _ in range(2)))
    if rng.random() < writer.rude:
        closing.append(rng.choice(RUDE))
    return " ".join((text, *closing))


def respond_distinct(task: Task, writers: list[Writer], rng: random.Random) -> list[str]:
    """One response of each writer, all different texts.

    Raises:
        RuntimeError: a writer keeps repeating what others said.
    """
    texts: list[str] = []
    for writer in writers:
        for _ in range(200):
            text = respond(task, writer, rng)
            if text not in texts:
                texts.append(text)
                break
        else:
            raise RuntimeError(f"writer {writer.name} finds no new response to {task}")
    return texts
