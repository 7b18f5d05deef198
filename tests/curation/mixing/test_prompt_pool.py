"""The prompt pool: near-duplicates across sets, and buckets that a larger pool leaves alone."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from curation.core import ids, messages
from curation.core.schema import BENCHMARK, PROMPT_SOURCE
from curation.mixing.prompt_pool import Pool, decide, kept, rejects

LONG = "Write a short story about a brave young fox who crosses the wide frozen river at night"
POOL = Pool(max_tokens=100, min_chars=1, eval_range=(0.8, 1.0), clusters=2, split_seed=7)
NEAR = replace(POOL, near=0.75)


def prompt_set(name: str, *texts: str) -> pl.LazyFrame:
    frame = pl.DataFrame({"text": texts, "source_row": [f"{name}{n}" for n in range(len(texts))]})
    asked = messages.user(pl.col("text"))
    return (
        frame.select(
            pl.lit(name).alias("source"),
            "source_row",
            asked.alias("messages"),
            pl.col("text").str.len_chars().cast(pl.Int64).alias("n_chars"),
            pl.lit(20, dtype=pl.Int64).alias("n_tokens"),
            pl.lit("MIT").alias("license"),
        )
        .with_columns(ids.prompt_id(pl.col("messages")).alias("prompt_id"))
        .select(PROMPT_SOURCE.names)
        .lazy()
    )


def test_near_duplicates_leave_the_copy_of_the_earliest_set_and_name_it() -> None:
    sets = {
        "first": prompt_set("first", "What is a lake?", LONG + "."),
        "second": prompt_set(
            "second", LONG + " again", "what is a LAKE", "Something else entirely"
        ),
    }
    decided = decide(sets, BENCHMARK.empty(), NEAR)
    stay, gone = kept(decided, NEAR), rejects(decided)
    assert stay.height + gone.height == decided.height == 5
    assert sorted(text[0]["content"] for text in stay["messages"].to_list()) == [
        "Something else entirely",
        "What is a lake?",
        LONG + ".",
    ]
    assert gone["rule"].to_list() == ["near_duplicate"] * 2
    assert set(gone["source"]) == {"second"}
    for row in gone.to_dicts():
        assert row["detail"].startswith("near prompt ")
        assert " of first: similarity " in row["detail"]


def test_exact_pools_keep_near_copies_and_a_higher_threshold_keeps_more() -> None:
    sets = {"first": prompt_set("first", LONG, LONG + " again")}
    for pool, size in ((POOL, 2), (NEAR, 1), (replace(NEAR, near=0.99), 2)):
        assert kept(decide(sets, BENCHMARK.empty(), pool), pool).height == size


def test_near_decisions_do_not_depend_on_the_order_of_rows() -> None:
    texts = [f"{LONG} and number {n % 7}" for n in range(30)] + [LONG + f" {n}" for n in range(9)]
    decided = [
        decide({"one": prompt_set("one", *order)}, BENCHMARK.empty(), NEAR)
        for order in (texts, texts[::-1])
    ]
    first, second = (kept(one, NEAR)["prompt_id"].to_list() for one in decided)
    assert first == second
    assert len(first) == 1


def test_a_larger_pool_moves_no_prompt_between_buckets() -> None:
    texts = [f"question {n}" for n in range(200)]
    small = kept(decide({"a": prompt_set("a", *texts[:80])}, BENCHMARK.empty(), POOL), POOL)
    large = kept(decide({"a": prompt_set("a", *texts)}, BENCHMARK.empty(), POOL), POOL)
    both = small.join(large, on="prompt_id", suffix="_large")
    assert both.height == small.height == 80
    assert both["bucket"].equals(both["bucket_large"], check_names=False)
    assert both["split"].equals(both["split_large"], check_names=False)


def test_every_benchmark_hit_stands_in_the_ledger() -> None:
    item = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    rows = [
        {"item_id": f"i{n}", "benchmark": name, "source_row": "0", "text": text}
        for n, (name, text) in enumerate([("quiz", item), ("exam", f"so {item}"), ("other", "no")])
    ]
    benchmarks = pl.DataFrame(rows, schema=BENCHMARK.polars)
    sets = {"a": prompt_set("a", item.title() + "!", "What is a lake?")}
    gone = rejects(decide(sets, benchmarks, POOL))
    assert gone["rule"].to_list() == ["benchmark"]
    hits = gone["detail"][0].split("; ")
    assert hits[0] == f"quiz i0: {item}"  # the whole text
    assert hits[1].startswith("exam i1: one two three")
    assert len(hits) == 2


@pytest.mark.parametrize("shape", [(40, 8), (2, 8)])
def test_given_vectors_are_mapped_in_place_of_words(shape: tuple[int, int]) -> None:
    import numpy as np

    from curation.mixing.prompt_map import coordinates

    rows, width = shape
    vectors = np.zeros((rows, width), dtype=np.float32)
    vectors[: rows // 2, 0] = 1.0
    vectors[rows // 2 :, 1] = 1.0
    vectors += np.random.default_rng(0).normal(0, 0.01, shape)
    drawn = coordinates(["same words"] * rows, 2, 5, vectors)
    assert drawn.equals(coordinates(["same words"] * rows, 2, 5, vectors))
    if min(shape) >= 3:
        assert drawn["cluster"][: rows // 2].n_unique() == 1
        assert drawn["cluster"].n_unique() == 2


def test_a_set_that_is_held_out_whole_lies_in_the_held_out_range() -> None:
    sets = {
        "ours": prompt_set("ours", *(f"a question about number {n}" for n in range(40))),
        "apart": prompt_set("apart", *(f"what is held out of {n}" for n in range(40))),
    }
    pool = replace(POOL, held_out=("apart",))
    stay = kept(decide(sets, BENCHMARK.empty(), pool), pool)
    apart, ours = stay.filter(source="apart"), stay.filter(source="ours")
    assert apart.height == 40
    assert set(apart["split"]) == {"eval"}
    assert apart["bucket"].is_between(0.8, 1.0, closed="left").all()
    assert apart["bucket"].n_unique() == 40
    plain = kept(decide(sets, BENCHMARK.empty(), POOL), POOL).filter(source="ours")
    assert ours.equals(plain)  # the other set's buckets have not moved
