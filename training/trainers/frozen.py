"""A head alone: features of a frozen backbone, computed once, and the best head on them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.core.errors import UserError
from training.core import environment
from training.core.settings import RewardModel
from training.engines.passes import Passes
from training.trainers import bradley_terry
from training.trainers.bradley_terry import Pairs, Solved

CHUNK = 64  # pairs whose features a crash can cost
Features = NDArray[np.float32]


def train(
    model: Any, rows: Sequence[Mapping[str, Any]], settings: RewardModel, work: Path
) -> tuple[Solved, Features]:
    """Solve the head and give it to the model; nothing else of it changes.

    Args:
        model: a classifier with any head.
        rows: chosen_ids, rejected_ids (the prompt's tokens included) and prompt, their number.
        work: folder of finished features, to go on after a kill.

    Returns:
        How it was solved, and the features, [2, pairs, width].

    Raises:
        UserError: it runs in several processes, or the head can't be solved.
    """
    import torch

    if environment.world() > 1:
        raise UserError("reward_model.train: head runs in one process; leave launch out")
    found = features(model, rows, settings, work)
    margins = np.array([row.get("margin") or 0.0 for row in rows])
    prompts = [str(row["chosen_ids"][: row["prompt"]]) for row in rows]
    pairs = Pairs(found[0], found[1], margins, prompts)
    solved = bradley_terry.solve(pairs, settings.l2, settings.seed)
    with torch.no_grad():
        model.score.weight.copy_(torch.tensor(solved.weights, dtype=torch.float32)[None])
    return solved, found


def features(
    model: Any, rows: Sequence[Mapping[str, Any]], settings: RewardModel, work: Path
) -> Features:
    """What the head reads of every pair's sides, [2, pairs, width]; finished chunks are reused."""
    model = model.to(environment.device())
    passes = Passes(model, settings.batch_tokens, settings.pooling)
    parts = [
        _chunk(passes, rows[start : start + CHUNK], work / f"features-{start:08d}.npy")
        for start in range(0, len(rows), CHUNK)
    ]
    model.to("cpu")
    return np.concatenate(parts, axis=1)


def _chunk(passes: Passes, rows: Sequence[Mapping[str, Any]], file: Path) -> Features:
    if file.is_file():
        kept: Features = np.load(file)
        return kept
    items = [row[side] for side in ("chosen_ids", "rejected_ids") for row in rows]
    prompts = [row["prompt"] for row in rows]
    read = passes.each(items, prompts * 2, lambda found: list(found.float().cpu().numpy()))
    made: Features = np.stack(read).reshape(2, len(rows), -1)
    temp = file.with_suffix(".tmp.npy")
    np.save(temp, made)
    os.replace(temp, file)
    return made
