from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.models import comparisons, user
from training.core.settings import Sft
from training.trainers import preference_model
from training.trainers.examples import Comparison

SETTINGS = Sft(
    epochs=3, learning_rate=3e-3, global_batch=8, per_device_batch=8, max_length=128, seed=4
)


def test_the_question_is_the_papers() -> None:
    asked = preference_model.question(user("Why?"), "Because.", "No idea.")
    assert asked == user("[CONTEXT] Why? [RESPONSE A] Because. [RESPONSE B] No idea.")


def test_a_dialogue_names_its_roles() -> None:
    dialogue = [*user("Why?"), {"role": "assistant", "content": "So."}, *user("Really?")]
    asked = preference_model.question(dialogue, "a", "b")[0]["content"]
    assert "user: Why?\nassistant: So.\nuser: Really? [RESPONSE A] a" in asked


def test_the_order_follows_the_pair_id_alone() -> None:
    items = [Comparison(f"k{k}", user("q"), "good", "bad") for k in range(400)]
    labels = [preference_model._example(item, 1)[-1]["content"] for item in items]
    assert 150 < labels.count("A") < 250
    assert labels == [preference_model._example(item, 1)[-1]["content"] for item in items]
    shown = preference_model._example(items[labels.index("B")], 1)[0]["content"]
    assert "[RESPONSE A] bad [RESPONSE B] good" in shown


def test_the_other_order_turns_question_and_label() -> None:
    item = Comparison("k", user("q"), "good", "bad")
    shown = {}
    for turned in (False, True):
        *asked, label = preference_model._example(item, 1, turned)
        shown[label["content"]] = asked[0]["content"]
    assert shown["A"] == "[CONTEXT] q [RESPONSE A] good [RESPONSE B] bad"
    assert shown["B"] == "[CONTEXT] q [RESPONSE A] bad [RESPONSE B] good"


def test_both_orders_are_twice_the_examples_of_the_same_pairs(base: Path, tmp_path: Path) -> None:
    once = replace(SETTINGS, epochs=1)
    metrics = preference_model.train(
        base, comparisons(16), once, out=tmp_path / "both", both_orders=True
    )
    assert (metrics["pairs"], metrics["examples"], metrics["too_long"]) == (16, 32, 0)


def test_markers_in_the_text_are_ambiguous() -> None:
    assert preference_model.is_ambiguous(Comparison("k", user("q"), "see [RESPONSE B] x", "b"))
    assert not preference_model.is_ambiguous(Comparison("k", user("q"), "a", "b"))


@pytest.fixture(scope="module")
def trained(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "preference"
    odd = Comparison("odd", user("q"), "[CONTEXT]", "b")
    metrics = preference_model.train(base, [*comparisons(96), odd], SETTINGS, out=path)
    assert metrics["ambiguous"] == 1
    assert metrics["examples"] == 96
    return path


def test_both_orders_average_to_an_antisymmetric_preference(trained: Path) -> None:
    model = preference_model.PreferenceModel(trained, 4096)
    asked = [(item.prompt, item.chosen, item.rejected) for item in comparisons(10)]
    swapped = [(prompt, b, a) for prompt, a, b in asked]
    straight = model.prefers_first(asked)
    assert straight + model.prefers_first(swapped) == pytest.approx(np.ones(10), abs=1e-9)


def test_batches_do_not_matter(trained: Path) -> None:
    asked = [(item.prompt, item.chosen, item.rejected) for item in comparisons(10)]
    alone = preference_model.PreferenceModel(trained, 1).first_wins(asked)
    assert preference_model.PreferenceModel(trained, 4096).first_wins(asked) == pytest.approx(
        alone, abs=1e-5
    )


def test_held_out_figures(trained: Path) -> None:
    figures = preference_model.held_out(trained, comparisons(20), SETTINGS)
    assert figures["eval_pairs"] == 20
    assert 0 <= figures["swap_inconsistency"] <= 1
    assert 0 <= figures["accuracy"] <= 1
