"""What the benchmark of few rows measures is what `reward_model.train: head` reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import few_rows
from tests.models import comparisons
from training.core import checkpoint
from training.core.chat_template import ChatTemplate
from training.core.settings import RewardModel
from training.trainers import examples, frozen, reward_model

SETTINGS = RewardModel(1, 1e-3, 4, 4, max_length=128, seed=5, train="head")


@pytest.mark.parametrize(("layer", "place"), [(1, 0), (2, 2)])
@pytest.mark.parametrize("pooling", few_rows.POOLS)
def test_its_features_are_those_of_the_trainer(
    base: Path, tmp_path: Path, pooling: Any, layer: int, place: int
) -> None:
    tokenizer = checkpoint.load_tokenizer(base)
    rows = examples.pairs(ChatTemplate(tokenizer), comparisons(5), 128).rows
    layers, found = few_rows._features(base, rows, tmp_path)
    assert layers[place] == layer
    settings = replace(SETTINGS, layer=layer, pooling=pooling)
    model = reward_model.with_head(base, tokenizer, settings)
    given = [reward_model._row(row, settings) for row in rows]
    want = frozen.features(model, given, settings, tmp_path)
    got = found[:, :, place, few_rows.POOLS.index(pooling)].swapaxes(0, 1)
    assert got == pytest.approx(want, abs=1e-4)
    again = few_rows._features(base, rows, tmp_path)[1]  # from the kept files
    assert np.array_equal(again, found)


def test_a_head_is_judged_on_prompts_that_it_has_not_seen() -> None:
    rng = np.random.default_rng(0)
    chance = rng.normal(size=(60, 2, 40)).astype(np.float32)
    right, fitted = few_rows._held_out(chance, [str(k) for k in range(60)])
    assert abs(right.mean() - 0.5) < 0.2
    assert fitted > right.mean()
