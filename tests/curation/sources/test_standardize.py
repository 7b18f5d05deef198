"""Invariants for any input: the ledger balances, ids and bytes do not depend on order or chunks."""

from __future__ import annotations

import json
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.core import ordered, schema, statistics
from curation.reading import native, readers
from curation.rules import filters
from curation.sources import gathering
from curation.sources.formats import FORMATS
from curation.sources.judged import Normaliser
from pipelines.core.outputs import Outputs
from tests.curation.sources.standardized import tables

pieces = st.sampled_from(["a", "b", " ", "\n", "\x00", "\u2028", "é", "<|end|>"])
words = st.lists(pieces, max_size=4).map("".join)
speech = st.builds(
    lambda role, content: {"role": role, "content": content},
    st.sampled_from(["user", "assistant", "system", "tool"]),
    words,
)
lists = st.lists(speech, max_size=4)
rows = st.lists(st.builds(lambda a, b: {"chosen": a, "rejected": b}, lists, lists), max_size=12)


def made(values: list[dict[str, Any]], folder: Path) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    form = FORMATS["rlhflow"]
    layout = form.layouts[0]
    frames = list(native.typed_frames(values, layout, {}, native.Ledger()))
    types = dict(layout.columns)
    typed = pl.concat([pl.DataFrame(schema=types), *frames])
    rules = filters.of_source(["structural"], form.kind, "test")
    source = Normaliser("s", form, layout, {})
    kept, rejects, done = tables(source, rules, native.with_row_ids(typed.lazy()), folder)
    return kept, rejects, done.items


@given(rows)
@settings(max_examples=40, deadline=None)
def test_rows_in_are_rows_kept_and_rejected_and_keys_are_unique(values: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        kept, rejects, items = made(values, Path(folder))
    assert items == len(values) == kept.height + rejects.height
    assert kept["pair_id"].n_unique() == kept.height
    assert statistics.preferences(kept.lazy())["prompts"] == kept["prompt_id"].n_unique()
    assert rejects["item_id"].n_unique() == rejects.height
    for row in kept.select("prompt", "chosen", "rejected").to_dicts():
        texts = [m["content"] for side in row.values() for m in side]
        assert all(text.strip() and "\x00" not in text for text in texts)
        assert row["chosen"] != row["rejected"]


@given(rows, st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_row_order_does_not_change_a_row(values: list[Any], rng: Any) -> None:
    shuffled = list(values)
    rng.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        first, second = made(values, Path(one)), made(shuffled, Path(two))
    assert first[0].equals(second[0])
    assert first[1].equals(second[1])


@given(rows)
@settings(max_examples=25, deadline=None)
def test_standardising_what_was_kept_changes_nothing(values: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        kept, _, _ = made(values, Path(one))
        whole = [
            {side: [*row["prompt"], *row[side]] for side in ("chosen", "rejected")}
            for row in kept.to_dicts()
        ]
        again, rejects, _ = made(whole, Path(two))
    assert rejects.is_empty()
    columns = [name for name in kept.columns if name != "source_row"]
    assert again.select(columns).equals(kept.select(columns))


@given(
    st.lists(st.integers(0, 30), max_size=60),
    st.integers(1, 7),
    st.integers(1, 9),
    st.sampled_from([2, 3, 32]),
)
@settings(max_examples=50, deadline=None)
def test_a_spill_gives_everything_back_in_order_with_equal_keys_together(
    keys: list[int], batch: int, part: int, runs: int
) -> None:
    frame = pl.DataFrame(
        {"k": [f"{key:02d}" for key in keys], "n": range(len(keys))},
        schema={"k": pl.String, "n": pl.Int64},
    )
    with tempfile.TemporaryDirectory() as folder:
        spill = ordered.Spill(Path(folder), "k", runs)
        for start in range(0, frame.height, batch):
            spill.add(frame.slice(start, batch))
        parts = list(spill.parts(part))
    whole = pl.concat([frame.clear(), *parts])
    assert whole.rows() == sorted(frame.rows())  # equal keys as they came
    seen = [set(one["k"]) for one in parts]
    assert sum(map(len, seen)) == len(set().union(*seen)) if seen else True


@given(
    st.lists(st.sets(st.integers(0, 40), max_size=20), min_size=1, max_size=4), st.integers(1, 5)
)
@settings(max_examples=50, deadline=None)
def test_merged_streams_are_in_order_and_whole(sets: list[set[int]], size: int) -> None:
    streams = []
    for source, keys in enumerate(sets):
        values = [f"{key:02d}" for key in sorted(keys)]
        frame = pl.DataFrame(
            {"k": values, "s": [source] * len(values)}, schema={"k": pl.String, "s": pl.Int64}
        )
        streams.append([frame.slice(i, size) for i in range(0, frame.height, size)])
    parts = list(ordered.merged(streams, "k"))
    whole = pl.concat([pl.DataFrame(schema={"k": pl.String, "s": pl.Int64}), *parts])
    assert whole.rows() == sorted(whole.rows())
    assert whole.height == sum(map(len, sets))
    ends = [(one["k"][0], one["k"][-1]) for one in parts]
    assert all(a[1] < b[0] for a, b in pairwise(ends))


def test_the_bytes_of_a_table_do_not_depend_on_the_parts(tmp_path: Path) -> None:
    names = [f"{n:024x}" for n in range(5000)]
    frame = pl.DataFrame(
        {"stage": "s", "item_id": names, "source": "x", "rule": "r", "detail": "", "payload": names}
    )
    written = []
    for size in (7, 1000, 5000):
        outputs = Outputs()
        frames = (frame.slice(i, size) for i in range(0, frame.height, size))
        assert outputs.parts(tmp_path / "t.parquet", schema.REJECTS, frames) == 5000
        outputs.commit()
        written.append((tmp_path / "t.parquet").read_bytes())
    assert written[0] == written[1] == written[2]


def test_batches_do_not_change_the_table(tmp_path: Path, monkeypatch: Any) -> None:
    values = [
        {"chosen": speech_of("q", n, "x"), "rejected": speech_of("q", n, "y")} for n in range(50)
    ]
    first = made([*values, values[3]], tmp_path / "a")
    monkeypatch.setattr(gathering, "BATCH", 7)
    monkeypatch.setattr(ordered, "SAMPLE", 2)
    second = made([values[3], *values], tmp_path / "b")
    assert first[0].equals(second[0])
    assert first[1].equals(second[1])
    assert first[1]["rule"].to_list() == ["duplicate"]


def speech_of(prompt: str, number: int, answer: str) -> list[dict[str, str]]:
    return [
        {"role": "user", "content": f"{prompt}{number}"},
        {"role": "assistant", "content": answer},
    ]


@given(
    st.lists(st.dictionaries(words, words, max_size=3), max_size=8),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
@settings(max_examples=40, deadline=None)
def test_every_json_object_line_comes_back(values: list[dict[str, str]], end: str) -> None:
    content = end.join(json.dumps(value, ensure_ascii=False) for value in [{"k": "v"}, *values])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_bytes(content.encode())
        assert list(readers.rows(path)) == [{"k": "v"}, *values]
