"""History: what stays, first origin wins, weights, caps, and that no pair is lost."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.core.errors import UserError
from curation.core.schema import HISTORY, MESSAGE, MIXES, PAIRS
from curation.pairing.history import Grown, Keep, grow, lineage, offline

POLICIES = {"iter1": "sft", "iter2": "iter1", "iter3": "iter2", "branch": "iter1"}


def _say(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def _pairs(iteration: str, *ids: str) -> pl.DataFrame:
    rows = [
        {
            "pair_id": one, "prompt_id": f"p{one}", "iteration": iteration, "chosen_id": "c",
            "rejected_id": "r", "prompt": [{"role": "user", "content": "q"}], "chosen": _say("a"),
            "rejected": _say("b"), "chosen_reward": 1.0, "rejected_reward": 0.0,
            "chosen_adjusted": 1.0, "rejected_adjusted": 0.0, "margin": 1.0, "chosen_chars": 1,
            "rejected_chars": 1, "chosen_tokens": 2, "rejected_tokens": 2,
            "strategy": "best_worst", "flags": [],
        }
        for one in ids
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=PAIRS.polars)


def _walk(keep: Keep, *steps: tuple[str, str], start: pl.DataFrame | None = None) -> Grown:
    """Grow step by step; a step is an iteration and its pair ids, one letter each."""
    history = HISTORY.empty() if start is None else start
    for iteration, ids in steps:
        grown = grow(history, _pairs(iteration, *ids), lineage(iteration, POLICIES), keep)
        history = grown.history
    return grown


def _origins(grown: Grown) -> dict[str, str]:
    return dict(grown.history.select("pair_id", "origin").rows())


def _rules(grown: Grown) -> dict[str, str]:
    return dict(grown.rejects.select("item_id", "rule").rows())


STEPS = (("iter1", "ab"), ("iter2", "bc"), ("iter3", "cd"))


def test_lineage_follows_the_policies() -> None:
    assert lineage("iter3", POLICIES) == ["iter3", "iter2", "iter1"]
    assert lineage("branch", POLICIES) == ["branch", "iter1"]


def test_all_keeps_everything_and_the_first_origin_wins() -> None:
    grown = _walk(Keep(), *STEPS)
    assert _origins(grown) == {"a": "iter1", "b": "iter1", "c": "iter2", "d": "iter3"}
    assert _rules(grown) == {"iter3:c": "duplicate_pair"}
    assert grown.rejects["detail"].item() == "also made in an earlier origin, 1 before this one"
    assert '"pair_id":"c"' in grown.rejects["payload"].item()


def test_none_keeps_this_iteration_alone_duplicates_included() -> None:
    grown = _walk(Keep("none"), *STEPS)
    assert _origins(grown) == {"c": "iter3", "d": "iter3"}
    assert set(_rules(grown).values()) == {"outside_history"}


def test_last_k_counts_this_iteration() -> None:
    grown = _walk(Keep("last_k", last_k=2), *STEPS)
    assert _origins(grown) == {"c": "iter2", "d": "iter3"}
    assert _rules(grown) == {"iter1:b": "outside_history", "iter1:a": "outside_history",
                             "iter3:c": "duplicate_pair"}  # fmt: skip


def test_offline_pairs_stay_under_every_keep() -> None:
    offline = _pairs("x", "o").with_columns(
        origin=pl.lit("offline"),
        weight=pl.lit(1.0),
        chosen_model=pl.lit("m"),
        rejected_model=pl.lit("n"),
    )
    start = offline.select(HISTORY.names)
    grown = _walk(Keep("none"), *STEPS, ("iter3", "o"), start=start)
    assert _origins(grown)["o"] == "offline"
    assert _rules(grown)["iter3:o"] == "duplicate_pair"


def test_weights_by_origin() -> None:
    grown = _walk(Keep(weights={"iter1": 0.5}), *STEPS)
    weights = dict(grown.history.select("pair_id", "weight").rows())
    assert weights == {"a": 0.5, "b": 0.5, "c": 1.0, "d": 1.0}
    assert grown.metrics["weight_sum"] == 3.0


def test_cap_prefers_this_iteration() -> None:
    grown = _walk(Keep(cap=3), ("iter1", "abcdef"), ("iter2", "xy"))
    assert grown.history.height == 3
    assert {"x", "y"} < set(grown.history["pair_id"])
    assert set(_rules(grown).values()) == {"history_cap"}


def test_a_history_of_another_branch_is_refused() -> None:
    with pytest.raises(UserError, match="holds pairs of iter2, but branch descends from iter1"):
        grow(
            _walk(Keep(), *STEPS[:2]).history,
            _pairs("branch", "z"),
            lineage("branch", POLICIES),
            Keep(),
        )


@given(
    steps=st.lists(st.text("abcdefgh", max_size=6), min_size=3, max_size=3),
    keep=st.sampled_from([Keep(), Keep("none"), Keep("last_k", 2), Keep(cap=4)]),
)
def test_rows_in_are_kept_or_rejected(steps: list[str], keep: Keep) -> None:
    history = HISTORY.empty()
    for iteration, text in zip(("iter1", "iter2", "iter3"), steps, strict=True):
        pairs = _pairs(iteration, *sorted(set(text)))
        grown = grow(history, pairs, lineage(iteration, POLICIES), keep)
        assert grown.history.height + grown.rejects.height == history.height + pairs.height
        assert grown.history["pair_id"].is_unique().all()
        assert grown.rejects["item_id"].is_unique().all()
        again = grow(
            history.sample(fraction=1, shuffle=True, seed=1),
            pairs.sample(fraction=1, shuffle=True, seed=2),
            lineage(iteration, POLICIES),
            keep,
        )
        assert again.history.sort("pair_id").equals(grown.history.sort("pair_id"))
        history = grown.history


def test_offline_takes_train_rows_of_the_mix_up_to_the_cap() -> None:
    names = [column.name for column in MIXES.columns]
    base = _pairs("x", *"abcdef").with_columns(
        split=pl.when(pl.col("pair_id") == "f").then(pl.lit("eval")).otherwise(pl.lit("train"))
    )
    lacking = [pl.lit(None).alias(name) for name in names if name not in base.columns]
    mix = base.with_columns(lacking).select(names).lazy()
    rows = offline(mix, None, Keep(weights={"offline": 0.25}))
    assert rows["pair_id"].sort().to_list() == list("abcde")
    assert set(rows["origin"]) == {"offline"}
    assert set(rows["weight"]) == {0.25}
    capped = offline(mix, 2, Keep())
    assert capped.height == 2
    assert set(capped["pair_id"]) < set(offline(mix, 3, Keep())["pair_id"])
    assert rows.schema["prompt"] == pl.List(MESSAGE)
