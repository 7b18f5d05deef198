"""A multi-head reward model: one head per rated attribute, and a gate that reads the prompt.

In the manner of ArmoRM (arXiv 2406.12845): the backbone of a Bradley-Terry model stays as it is;
each head is a ridge regression of one attribute's ratings on the last token's features; the gate, a
small network over the features of the prompt's last token, gives the heads non-negative weights
that sum to 1 and is trained by Bradley-Terry on comparisons. Beyond the reward it tells why.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from curation.core.errors import UserError
from training.core import checkpoint
from training.core.chat_template import Messages
from training.core.sampled import TEXT, Sampled
from training.core.statistics import Floats
from training.judges.features import HEADS, Backbone, network
from training.judges.reward_model import Item
from training.trainers.examples import Comparison

ALPHAS = tuple(10.0**power for power in range(-2, 5))  # of the ridge, chosen by leave-one-out
STEPS, RATE, DECAY = 400, 1e-2, 1e-3  # of the gate, trained on all pairs at once


@dataclass(frozen=True)
class Rated:
    """One response and its ratings in [0, 1] by attribute; None where it was not rated."""

    prompt: Messages
    response: str
    ratings: tuple[float | None, ...]


R = TypeVar("R", Rated, Comparison)


def train(
    name: str,
    source: Path,
    attributes: Sequence[str],
    rated: Sequence[Rated],
    pairs: Sequence[Comparison],
    *,
    out: Path,
    batch_tokens: int,
    seed: int,
) -> dict[str, Any]:
    """Fit heads and gate on a reward model's features and save them with its weights.

    Args:
        source: the reward model whose backbone is used.
        attributes: names of the heads, in the order of the ratings.
        pairs: comparisons the gate is trained on.
        seed: of the gate's first weights.

    Returns:
        Metrics: rated, pairs, over_context (rows left out), gate_loss, and by attribute its rows
        and the R2 of its head.
    """
    backbone = Backbone(source, batch_tokens)
    asked = len(rated) + len(pairs)
    rated = _read(backbone, rated, lambda row: [(row.response, TEXT)])
    pairs = _read(backbone, pairs, lambda pair: [_chosen(pair), _rejected(pair)])
    features = backbone.of_responses([(row.prompt, row.response) for row in rated])
    ratings = np.array([row.ratings for row in rated], dtype=np.float64)
    weight, bias, heads = _heads(features, ratings, attributes)
    prompts = backbone.of_prompts([pair.prompt for pair in pairs])
    better, worse = (
        backbone.of_responses(*_asked(pairs, [side(pair) for pair in pairs]))
        for side in (_chosen, _rejected)
    )
    gate, loss = _gate(prompts, (better - worse) @ weight.T, seed)
    tensors = {"heads.weight": weight, "heads.bias": bias, **gate}
    card = {"kind": "multi_head", "name": name, "attributes": list(attributes)}
    _save(source, tensors, card, out)
    return {
        "rated": len(rated),
        "pairs": len(pairs),
        "over_context": asked - len(rated) - len(pairs),
        "gate_loss": loss,
        "heads": heads,
    }


Side = tuple[str, Sampled]


def _chosen(pair: Comparison) -> Side:
    return pair.chosen, pair.chosen_sampled


def _rejected(pair: Comparison) -> Side:
    return pair.rejected, pair.rejected_sampled


def _asked(rows: Sequence[R], side: Sequence[Side]) -> tuple[list[Item], list[Sampled]]:
    asked = [(row.prompt, text) for row, (text, _) in zip(rows, side, strict=True)]
    return asked, [sampled for _, sampled in side]


def _read(backbone: Backbone, rows: Sequence[R], sides: Callable[[R], list[Side]]) -> list[R]:
    """The rows whose responses lie within the backbone's context, each with its prompt."""
    fit = [True] * len(rows)
    for side in zip(*(sides(row) for row in rows), strict=True):
        read = backbone.reads(*_asked(rows, side))
        fit = [a and b for a, b in zip(fit, read, strict=True)]
    return [row for row, fine in zip(rows, fit, strict=True) if fine]


def _heads(
    features: Floats, ratings: Floats, attributes: Sequence[str]
) -> tuple[Floats, Floats, dict[str, Any]]:
    from sklearn.linear_model import RidgeCV

    weights, biases, report = [], [], {}
    for place, name in enumerate(attributes):
        known = np.isfinite(ratings[:, place])
        if known.sum() < 10:
            raise UserError(f"{name}: only {int(known.sum())} ratings; leave the attribute out")
        model = RidgeCV(alphas=ALPHAS).fit(features[known], ratings[known, place])
        weights.append(model.coef_)
        biases.append(float(model.intercept_))
        score = float(model.score(features[known], ratings[known, place]))
        report[name] = {"rows": int(known.sum()), "alpha": float(model.alpha_), "r2": score}
    return np.array(weights), np.array(biases), report


def _gate(prompts: Floats, gaps: Floats, seed: int) -> tuple[dict[str, Floats], float]:
    """Gate weights and the last loss; gaps are (n, heads): better minus worse."""
    import torch

    torch.manual_seed(seed)
    mean, spread = prompts.mean(0), prompts.std(0) + 1e-6
    unit = gaps.std(0) + 1e-6
    x = torch.tensor((prompts - mean) / spread, dtype=torch.float32)
    d = torch.tensor(gaps / unit, dtype=torch.float32)
    gate = network(x.shape[1], d.shape[1])
    scale = torch.nn.Parameter(torch.zeros(()))
    learned = [*gate.parameters(), scale]
    optimiser = torch.optim.AdamW(learned, lr=RATE, weight_decay=DECAY)
    loss = torch.zeros(())
    for step in range(STEPS):
        optimiser.zero_grad()
        loss = -torch.nn.functional.logsigmoid(scale.exp() * (gate(x) * d).sum(-1)).mean()
        loss.backward()
        optimiser.step()
        if (step + 1) % 100 == 0:
            print(f"multi_head: gate step {step + 1}/{STEPS} loss {loss.item():.4f}", flush=True)
    state = {f"gate.{key}": value.numpy() for key, value in gate.state_dict().items()}
    units = {"unit": unit, "scale": scale.exp().detach().double().numpy(), "mean": mean}
    return {**state, **units, "spread": spread}, float(loss.item())


def _save(source: Path, tensors: dict[str, Floats], card: dict[str, Any], out: Path) -> None:
    from safetensors.numpy import save_file

    with checkpoint.folder(out) as temp:
        shutil.copytree(source, temp, dirs_exist_ok=True)
        solid = {key: np.ascontiguousarray(value) for key, value in tensors.items()}
        save_file(solid, temp / HEADS)
        checkpoint.finish(temp, checkpoint.load_tokenizer(source), card)
