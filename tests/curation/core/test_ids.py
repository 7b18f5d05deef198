"""Ids are hashes of content: stable, injective over message boundaries, independent of order."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from curation.core.ids import canonical, digest, pair_id, prompt_digest, prompt_id, unit
from curation.core.schema import MESSAGES


def _frame(*prompts: list[tuple[str, str]]) -> pl.DataFrame:
    rows = [[{"role": role, "content": text} for role, text in prompt] for prompt in prompts]
    return pl.DataFrame({"prompt": rows}, schema={"prompt": MESSAGES})


def test_the_same_content_has_the_same_id_wherever_it_stands() -> None:
    frame = _frame([("user", "a")], [("user", "b")], [("user", "a")])
    ids = frame.select(prompt_id(pl.col("prompt")))["prompt"].to_list()
    assert ids[0] == ids[2] != ids[1]
    assert all(len(one) == 24 for one in ids)


def test_ids_never_change_between_versions() -> None:
    frame = _frame([("user", "hi")])
    assert frame.select(prompt_id(pl.col("prompt"))).item() == "fed8c7e30e5e00c7ebc7c53b"


def test_a_prompt_in_canonical_form_has_the_same_id() -> None:
    frame = _frame([("system", "be short"), ("user", "hi")])
    prompt = pl.col("prompt")
    one, other = frame.select(one=prompt_id(prompt), other=prompt_digest(canonical(prompt))).row(0)
    assert one == other


def test_message_boundaries_count() -> None:
    frame = _frame([("user", "ab"), ("assistant", "c")], [("user", "a"), ("assistant", "bc")])
    assert frame.select(prompt_id(pl.col("prompt")))["prompt"].n_unique() == 2


def test_swapping_the_sides_gives_another_pair() -> None:
    frame = _frame([("user", "q")]).with_columns(
        a=pl.lit([{"role": "assistant", "content": "x"}], dtype=MESSAGES),
        b=pl.lit([{"role": "assistant", "content": "y"}], dtype=MESSAGES),
    )
    prompt, a, b = pl.col("prompt"), pl.col("a"), pl.col("b")
    both = frame.select(one=pair_id(prompt, a, b), other=pair_id(prompt, b, a)).row(0)
    assert both[0] != both[1]


@given(st.lists(st.text(max_size=5), min_size=1, max_size=20), st.integers(0, 2**31))
def test_unit_is_uniform_range_and_independent_of_neighbours(keys: list[str], seed: int) -> None:
    frame = pl.DataFrame({"key": keys})
    together = frame.select(u=unit(pl.col("key"), seed, "split"))["u"].to_list()
    alone = [
        pl.DataFrame({"key": [key]}).select(unit(pl.col("key"), seed, "split")).item()
        for key in keys
    ]
    assert together == alone
    assert all(0.0 <= value < 1.0 for value in together)


def test_purpose_and_seed_both_change_the_draw() -> None:
    frame = pl.DataFrame({"key": ["k"]})
    key = pl.col("key")
    draws = frame.select(
        a=unit(key, 1, "split"), b=unit(key, 2, "split"), c=unit(key, 1, "cap")
    ).row(0)
    assert len(set(draws)) == 3


def test_null_stays_null() -> None:
    frame = pl.DataFrame({"key": [None]}, schema={"key": pl.String})
    assert frame.select(digest(pl.col("key"))).item() is None
