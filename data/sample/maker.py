"""What every native writer shares: parameters, labels, fresh tasks, planted rows."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from data.sample.mutations import disguised
from data.sample.world import Task, reward
from data.sample.writers import draw_task, draw_template

Row = dict[str, Any]
Mutation = Callable[[Row, random.Random], None]


@dataclass(frozen=True)
class WorldConfig:
    """Parameters of the generator.

    Attributes:
        seed: Seed of every draw.
        size: Factor on the number of rows of every set.
        label_noise: Chance that a comparison's label is flipped.
        length_bias: Logits of preference per extra character of a response.
        sharpness: Logits of preference per unit of oracle reward.
    """

    seed: int = 20
    size: float = 1.0
    label_noise: float = 0.05
    length_bias: float = 0.005
    sharpness: float = 5.0


@dataclass(frozen=True)
class Plant:
    """A defect to plant: the rule that must catch it, in how many rows, and what it does.

    `items` is the number of candidate comparisons (or prompts, or demonstrations) that one planted
    row takes with it: 1 for a pair, 3 for one of four rated responses.
    """

    rule: str
    rows: int
    mutate: Mutation
    items: int = 1


@dataclass
class Maker:
    """Hands out fresh tasks and records what was planted where."""

    config: WorldConfig
    questions: list[str] = field(default_factory=list)
    asked: int = 0
    used: set[Task] = field(default_factory=set)
    plan: dict[str, dict[str, int]] = field(default_factory=dict)
    planted_rows: dict[str, dict[str, list[int]]] = field(default_factory=dict)

    def rng(self, *names: object) -> random.Random:
        """A random stream of its own for these names, from the world's seed."""
        return random.Random(":".join(map(str, (self.config.seed, *names))))

    def count(self, rows: int) -> int:
        """A set's number of rows at the configured size, at least 1."""
        return max(1, round(rows * self.config.size))

    def task(self, rng: random.Random) -> Task:
        """A question that no set has asked before."""
        while (task := draw_task(rng)) in self.used:
            pass
        self.used.add(task)
        return task

    def prompt(self, rng: random.Random) -> tuple[Task, str]:
        """A fresh question and its text."""
        task = self.task(rng)
        return task, task.render(draw_template(rng))

    def benchmark(self) -> list[str]:
        """The benchmark's 40 questions, the same for every size of the world."""
        if not self.questions:
            rng = self.rng("benchmark")
            self.questions.extend(self.prompt(rng)[1] for _ in range(40))
        return self.questions

    def benchmark_question(self, _: str, rng: random.Random) -> str:
        """The next benchmark question in turn, disguised in case, spacing and punctuation."""
        questions = self.benchmark()
        self.asked += 1
        return disguised(questions[(self.asked - 1) % len(questions)], rng)

    def ranking(self, prompt: str, responses: list[str], rng: random.Random) -> list[int]:
        """Indices of the responses, best first, as a noisy annotator ranks them.

        Gumbel noise on sharpness * reward + length_bias * characters makes each pair's label
        Bernoulli(sigmoid(difference)); then neighbours swap with chance `label_noise`.
        """
        config = self.config

        def noisy(response: str) -> float:
            gumbel = -math.log(-math.log(rng.uniform(1e-9, 1 - 1e-9)))
            utility = config.sharpness * reward(prompt, response)
            return utility + config.length_bias * len(response) + gumbel

        values = [noisy(response) for response in responses]
        order = sorted(range(len(responses)), key=lambda index: -values[index])
        for place in range(len(order) - 1):
            if rng.random() < config.label_noise:
                order[place], order[place + 1] = order[place + 1], order[place]
        return order

    def plant(self, source: str, rows: list[Row], plants: list[Plant], free: int = -1) -> None:
        """Mutate distinct rows among the first `free` (default all), recording the plan."""
        rng = self.rng(source, "defects")
        pool = list(range(len(rows) if free < 0 else free))
        rng.shuffle(pool)
        for plant in plants:
            chosen, pool = sorted(pool[: self.count(plant.rows)]), pool[self.count(plant.rows) :]
            for index in chosen:
                plant.mutate(rows[index], rng)
            self.record(source, plant.rule, len(chosen) * plant.items)
            self.planted_rows.setdefault(source, {}).setdefault(plant.rule, []).extend(chosen)

    def record(self, source: str, rule: str, items: int) -> None:
        """Add `items` drops by `rule` to the plan of `source`."""
        rules = self.plan.setdefault(source, {})
        rules[rule] = rules.get(rule, 0) + items


def ranked_levels(prompt: str, ranked: list[str], low: int, high: int) -> list[int]:
    """Distinct whole ratings in [low, high], best response first, near what each deserves."""
    size = len(ranked)
    levels: list[int] = []
    for place, response in enumerate(ranked):
        deserved = low + round((reward(prompt, response) + 1.0) / 2.5 * (high - low))
        below = levels[-1] - 1 if levels else high
        levels.append(max(min(deserved, below), low + size - 1 - place))
    return levels
