"""Mixes of small literal sets: copies, conflicts, caps, weights, splits, near-duplicates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curation.core import ids, schema
from curation.mixing.decontaminate import Settings
from curation.mixing.held_out import Unseen
from curation.mixing.mix import Decisions, Member, Mix, Sorting, compares, decide

Row = tuple[str, str, str]
NOTHING = Unseen(schema.BENCHMARK.empty())


def table(source: str, rows: list[Row]) -> pl.LazyFrame:
    """A preferences table of (prompt, chosen, rejected) texts, in key order."""
    made = [
        {
            "prompt": [{"role": "user", "content": prompt}],
            "chosen": [{"role": "assistant", "content": chosen}],
            "rejected": [{"role": "assistant", "content": rejected}],
        }
        for prompt, chosen, rejected in rows
    ]
    types = dict.fromkeys(("prompt", "chosen", "rejected"), schema.MESSAGES)
    sides = (pl.col("prompt"), pl.col("chosen"), pl.col("rejected"))
    frame = pl.DataFrame(made, schema=types).with_columns(
        ids.pair_id(*sides).alias("pair_id"),
        ids.prompt_id(pl.col("prompt")).alias("prompt_id"),
        pl.lit(source).alias("source"),
        pl.lit("r").alias("source_row"),
        pl.lit("human").alias("annotator"),
        pl.lit("MIT").alias("license"),
    )
    absent = [c for c in schema.PREFERENCES.columns if c.name not in frame.columns]
    filled = frame.with_columns(pl.lit(1).cast(c.dtype).alias(c.name) for c in absent)
    return filled.select(schema.PREFERENCES.names).sort("pair_id").lazy()


def mixed(sets: Mapping[str, list[Row]], **more: Any) -> tuple[Mix, dict[str, pl.LazyFrame]]:
    members = more.pop("members", {name: Member() for name in sets})
    values: dict[str, Any] = {"eval_share": 0.5, "split_seed": 1, "caps_seed": 2, **more}
    tables = {name: table(name, rows) for name, rows in sets.items()}
    return Mix("m", "pair_id", members, **values), tables


def decided(sets: Mapping[str, list[Row]], **more: Any) -> dict[tuple[str, str | None], int]:
    """(source, rule or None) -> rows."""
    unseen = more.pop("unseen", NOTHING)
    mix, tables = mixed(sets, **more)
    counts = decide(tables, unseen, mix).group_by("source", "rule").len()
    return {(source, rule): size for source, rule, size in counts.iter_rows()}


def test_a_copy_stays_in_the_set_listed_first() -> None:
    same = [("p", "x", "y")]
    assert decided({"a": same, "b": [*same, ("q", "x", "y")]}) == {
        ("a", None): 1,
        ("b", "duplicate"): 1,
        ("b", None): 1,
    }


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [
        ("keep", {("a", None): 2, ("b", None): 1}),
        ("drop", {("a", None): 1, ("a", "conflict"): 1, ("b", "conflict"): 1}),
        ("first_member", {("a", None): 2, ("b", "conflict"): 1}),
    ],
)
def test_opposite_labels_are_settled_by_the_named_policy(
    policy: str, wanted: dict[tuple[str, str | None], int]
) -> None:
    sets = {"a": [("p", "x", "y"), ("q", "x", "y")], "b": [("p", "y", "x")]}
    assert decided(sets, conflicts=policy) == wanted


def test_both_orders_within_one_set_name_no_winner() -> None:
    both = [("p", "x", "y"), ("p", "y", "x")]
    assert decided({"a": both}, conflicts="first_member") == {("a", "conflict"): 2}


def test_caps_keep_the_same_rows_when_others_join() -> None:
    rows = [(f"p{n}", "x", "y") for n in range(40)]
    few, tables = mixed({"a": rows}, members={"a": Member(cap=10)})
    kept = decide(tables, NOTHING, few).filter(pl.col("rule").is_null())
    assert kept.height == 10
    more, tables = mixed({"a": rows[:20]}, members={"a": Member(cap=10)})
    again = decide(tables, NOTHING, more).filter(pl.col("rule").is_null())
    survivors = set(kept["pair_id"]) & set(table("a", rows[:20]).collect()["pair_id"])
    assert survivors <= set(again["pair_id"])


def test_weight_keeps_about_its_share_of_prompts_whole() -> None:
    rows = [(f"p{n}", f"x{k}", "y") for n in range(300) for k in range(2)]
    mix, tables = mixed({"a": rows}, members={"a": Member(weight=0.3)})
    found = decide(tables, NOTHING, mix).join(
        tables["a"].collect().select("pair_id", "prompt_id"), on="pair_id"
    )
    rules = found.group_by("prompt_id").agg(pl.col("rule").n_unique())
    assert rules["rule"].max() == 1
    assert 0.2 < found["rule"].is_null().mean() < 0.4  # type: ignore[operator]


def test_the_prompt_cap_counts_over_all_sets() -> None:
    sets = {name: [("p", f"{name}{n}", "y") for n in range(3)] for name in "ab"}
    counts = decided(sets, per_prompt_cap=4)
    assert sum(size for (_, rule), size in counts.items() if rule == "per_prompt_cap") == 2


def test_a_prompt_is_in_one_split_and_a_larger_mix_moves_none() -> None:
    rows = [(f"p{n}", f"x{k}", "y") for n in range(50) for k in range(2)]
    small, tables = mixed({"a": rows[:40]})
    large, all_tables = mixed({"a": rows})
    before = decide(tables, NOTHING, small).select("pair_id", "split")
    after = decide(all_tables, NOTHING, large).select("pair_id", "split")
    assert before.join(after, on=["pair_id", "split"]).height == before.height
    assert set(after["split"]) == {"train", "eval"}


LONG = "tell me in your own words how the old river came to be where it is now"


def test_near_duplicate_prompts_stay_in_the_preferred_set_with_the_other_named() -> None:
    base = f"{LONG} and why it bends twice before the town and once after it"
    other = f"{base} !"  # the same words
    sets = {"b": [(other, "x", "y"), ("far away", "x", "y")], "a": [(base, "x", "y")]}
    mix, tables = mixed(sets, dedup="near", members={"a": Member(), "b": Member()})
    found = decide(tables, NOTHING, mix)
    gone = found.filter(pl.col("rule") == "near_duplicate")
    assert gone["source"].to_list() == ["b"]
    assert gone["detail"][0].startswith("near prompt ")
    assert gone["detail"][0].endswith(" of a: similarity 1.0")
    assert found.filter(pl.col("rule").is_null()).height == 2


def bench(*texts: str) -> Unseen:
    rows = [
        {"item_id": f"i{n}", "benchmark": "b", "source_row": "r", "text": t}
        for n, t in enumerate(texts)
    ]
    return Unseen(pl.DataFrame(rows, schema=schema.BENCHMARK.polars))


def test_benchmark_items_are_dropped_with_item_and_matching_text() -> None:
    sets = {
        "a": [(f"Hello. {LONG.upper()}!", "x", "y"), ("WHAT  is 2+2", "x", "y"), ("fine", "x", "y")]
    }
    mix, tables = mixed(sets, decontaminate=Settings(ngram=13))
    found = decide(tables, bench(LONG, "What is 2 + 2?"), mix)
    hits = found.filter(pl.col("rule") == "benchmark").sort("detail")["detail"].to_list()
    assert hits[0].startswith("b i0: ")
    assert len(hits[0].split(": ", 1)[1].split()) == 13
    assert hits[1] == "b i1: what is 2 2"
    assert decided(sets, unseen=bench(LONG), decontaminate=Settings(exact=False, min_hits=9)) == {
        ("a", None): 3
    }


def test_kept_and_rejects_are_the_rows_of_the_members(tmp_path: Path) -> None:
    sets = {
        "a": [(f"p{n}", "x", "y") for n in range(20)],
        "b": [(f"p{n}", "x", "y") for n in range(10, 40)],
    }
    mix, tables = mixed(sets)
    work = Sorting(Decisions(tables, NOTHING, mix), mix, "mix@m", tmp_path)
    kept = pl.concat(work.kept(tables))
    rejects = pl.concat(work.rejects())
    assert (kept.height, rejects.height) == (40, 10)
    assert kept["pair_id"].is_sorted()
    assert kept["pair_id"].n_unique() == 40
    assert set(rejects["rule"]) == {"duplicate"}
    assert rejects["item_id"].str.starts_with("b:").all()


def test_rows_decided_alone_are_those_decided_at_once(tmp_path: Path) -> None:
    sets = {name: [(f"{name}{n} why?", "x", "y") for n in range(40)] for name in "ab"}
    rules = {"dedup": "none", "conflicts": "keep", "members": {"a": Member(0.5), "b": Member()}}
    mix, tables = mixed(sets, **rules)
    items = bench("b3 why?")
    assert not compares(mix)
    work = Sorting(Decisions(tables, items, mix), mix, "mix@m", tmp_path)
    kept = pl.concat(work.kept(tables))
    at_once = decide(tables, items, mix)
    stays = at_once.filter(pl.col("rule").is_null()).sort("pair_id")
    assert kept.select("pair_id", "split").equals(stays.select("pair_id", "split"))
    counts = at_once.group_by("source", "rule").agg(pl.len().cast(pl.Int64))
    assert work.counts.equals(counts.sort("source", "rule"))
    assert set(counts["rule"]) == {None, "weight", "benchmark"}
