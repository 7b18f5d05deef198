"""Losses, gradients and rewards against a float64 model written out in plain numpy."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models import comparisons, user
from tests.training.plain import Llama
from training.core import checkpoint
from training.core.chat_template import ChatTemplate
from training.core.settings import Dpo
from training.engines import choose
from training.engines.settings import Engine
from training.trainers import arguments, dpo, examples
from training.trainers.reference_logprobs import Stored

PLAIN = Dpo(
    epochs=1, learning_rate=1e-3, global_batch=8, per_device_batch=8, max_length=128, seed=3
)
Sides = tuple[list[int], list[int], list[int]]
Each = tuple[list[float], list[float]]  # log-probs of the tokens of chosen and of rejected


@dataclass(frozen=True)
class World:
    """A policy, comparisons and their references."""

    base: Path
    items: list[Any]
    sides: list[Sides]
    reference: dict[str, Stored]


@pytest.fixture(scope="module")
def world(base: Path, template: ChatTemplate) -> World:
    """References are made up, some way from the policy on either side."""
    items = comparisons(8)
    sides = [
        (template.encode(item.prompt, True), *template.completions([item.chosen, item.rejected]))
        for item in items
    ]
    stored = {}
    policy = policy_of(Llama.load(base), sides)
    for k, (item, (chosen, rejected)) in enumerate(zip(items, policy, strict=True)):
        shared = min(len(chosen), len(rejected))
        shifts = (0.5 - 0.3 * k, 0.2 * k - 0.9, -0.4 + 0.1 * k, 0.3 - 0.2 * k)
        heads = (sum(chosen[:shared]) + shifts[2], sum(rejected[:shared]) + shifts[3])
        stored[item.key] = Stored(sum(chosen) + shifts[0], sum(rejected) + shifts[1], *heads)
    return World(base, items, sides, stored)


def policy_of(model: Llama, sides: list[Sides]) -> list[Each]:
    """Token log-probs of chosen and rejected."""
    return [
        (model.logprobs(prompt, chosen).tolist(), model.logprobs(prompt, rejected).tolist())
        for prompt, chosen, rejected in sides
    ]


def trainer_of(settings: Dpo, world: World, folder: Path) -> tuple[Any, Any]:
    """Our trainer, and one batch of all items through its own collator."""
    tokenizer = checkpoint.load_tokenizer(world.base)
    fitted = examples.pairs(ChatTemplate(tokenizer), world.items, 128)
    rows = [dpo._row(row, world.reference, settings.ld_alpha) for row in fitted.rows]
    options = arguments.common(
        settings, {"output_dir": str(folder), "save_strategy": "no"}
    ) | dpo._loss(settings)
    model = checkpoint.load_policy(world.base)
    trainer = dpo._trainer(model, tokenizer, rows, options, None)
    return trainer, trainer.data_collator([dict(row) for row in trainer.train_dataset])


def log_sigmoid(x: float) -> float:
    return -math.log1p(math.exp(-x))


def weighed(each: list[float], shared: int, alpha: float | None) -> float:
    return sum(each) if alpha is None else sum(each[:shared]) + alpha * sum(each[shared:])


BETA = PLAIN.beta
Formula = Callable[[float, float, int, int], float]  # log-ratios of both sides, their lengths
FORMULAS: dict[str, Formula] = {
    "sigmoid": lambda c, r, n, m: -log_sigmoid(BETA * (c - r)),
    "sigmoid_norm": lambda c, r, n, m: -log_sigmoid(BETA * (c / n - r / m)),
    "ipo": lambda c, r, n, m: (c / n - r / m - 1 / (2 * BETA)) ** 2,
    "hinge": lambda c, r, n, m: max(0.0, 1 - BETA * (c - r)),
    "robust": lambda c, r, n, m: (
        -(0.9 * log_sigmoid(BETA * (c - r)) - 0.1 * log_sigmoid(-BETA * (c - r))) / 0.8
    ),
}
CASES = [
    *(replace(PLAIN, loss=[name]) for name in FORMULAS if name != "robust"),
    replace(PLAIN, loss=["robust"], label_smoothing=0.1),
    replace(PLAIN, ld_alpha=0.3),
    replace(PLAIN, loss=["sigmoid", "sft"], loss_weights=[1.0, 0.2]),  # RPO
]


def expected(settings: Dpo, policy: list[Each], reference: dict[str, Stored]) -> float:
    """The loss by its formula; sft is the mean over all chosen tokens of the batch."""
    total = 0.0
    for name, weight in zip(
        settings.loss, settings.loss_weights or [1.0] * len(settings.loss), strict=True
    ):
        if name == "sft":
            tokens = [logp for chosen, _ in policy for logp in chosen]
            total -= weight * sum(tokens) / len(tokens)
            continue
        for (chosen, rejected), stored in zip(policy, reference.values(), strict=True):
            n, m = len(chosen), len(rejected)
            alpha, shared = settings.ld_alpha, min(n, m)
            ref_c, ref_r = stored.weighed(alpha)
            c = weighed(chosen, shared, alpha) - ref_c
            r = weighed(rejected, shared, alpha) - ref_r
            total += weight * FORMULAS[name](c, r, n, m) / len(policy)
    return total


@pytest.mark.parametrize(
    "settings", CASES, ids=lambda s: "+".join(s.loss) + ("_ld" if s.ld_alpha else "")
)
def test_a_loss_is_its_formula_in_float64(settings: Dpo, world: World, tmp_path: Path) -> None:
    trainer, batch = trainer_of(settings, world, tmp_path)
    assert trainer.ref_model is None
    loss = float(trainer._compute_loss(trainer.model, batch, False).detach())
    policy = policy_of(Llama.load(world.base), world.sides)
    assert loss == pytest.approx(expected(settings, policy, world.reference), abs=1e-5, rel=1e-6)


@pytest.mark.parametrize("settings", [PLAIN, CASES[-1]], ids=["sigmoid", "rpo"])
def test_the_gradient_is_that_of_finite_differences(
    settings: Dpo, world: World, tmp_path: Path
) -> None:
    trainer, batch = trainer_of(settings, world, tmp_path)
    trainer._compute_loss(trainer.model, batch, False).backward()
    model = Llama.load(world.base)
    generator = np.random.default_rng(7)
    for name, weight in trainer.model.named_parameters():
        plain = model.weights[name.removeprefix("model.")]
        direction = generator.standard_normal(plain.shape)
        direction /= np.linalg.norm(direction)
        ends = []
        for step in (1e-5, -2e-5, 1e-5):
            plain += step * direction
            ends.append(expected(settings, policy_of(model, world.sides), world.reference))
        slope = float((weight.grad.double().numpy() * direction).sum())
        assert slope == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-4, abs=1e-6), name


def test_rewards_equal_a_plain_float64_computation(
    reward_model: Path, template: ChatTemplate
) -> None:
    texts = ["woof", "moo!", "woof 3 moo, and more of it", "m"]
    ids = [
        template.encode(user(f"question {k}?"), True) + template.completions([text])[0]
        for k, text in enumerate(texts)
    ]
    plain = Llama.load(reward_model)
    scored = choose.scorer(Engine(), reward_model).score(ids)
    assert scored == pytest.approx([plain.reward(row) for row in ids], abs=1e-5)
