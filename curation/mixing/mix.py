"""One mix of standardised sets: which rows stay, which go and why, and their split.

Decisions are taken on ids and short columns; texts are read for decontamination and written once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from curation.core import ids, messages
from curation.core.ordered import Spill, ahead, batches, merged
from curation.mixing.decontaminate import Settings
from curation.mixing.dedup import THRESHOLD, near_duplicates
from curation.mixing.held_out import Unseen

col = pl.col


@dataclass(frozen=True)
class Member:
    """A set of the mix: the share of its prompts to keep and a cap on its rows."""

    weight: float = 1.0
    cap: int | None = None


@dataclass(frozen=True)
class Mix:
    """What a mix is made of; members in order of preference.

    Attributes:
        key: Key column of the member tables: pair_id or example_id.
        conflicts: What happens to opposite labels of one comparison: keep, drop, first_member.
    """

    name: str
    key: str
    members: Mapping[str, Member]
    eval_share: float
    split_seed: int
    caps_seed: int
    per_prompt_cap: int | None = None
    dedup: str = "exact"
    conflicts: str = "drop"
    near_threshold: float = THRESHOLD
    decontaminate: Settings = field(default_factory=Settings)


def rows_of(tables: Mapping[str, pl.LazyFrame], mix: Mix) -> pl.LazyFrame:
    """The members' rows with the member's place in the order of preference."""
    ranked = [
        tables[name].with_columns(pl.lit(rank, dtype=pl.Int32).alias("_rank"))
        for rank, name in enumerate(mix.members)
    ]
    return pl.concat(ranked)


def compares(mix: Mix) -> bool:
    """Whether a rule of the mix looks at other rows; if none does, each row is decided alone."""
    capped = any(member.cap is not None for member in mix.members.values())
    conflicts = mix.key == "pair_id" and mix.conflicts != "keep"
    return mix.dedup != "none" or conflicts or capped or mix.per_prompt_cap is not None


def decide(tables: Mapping[str, pl.LazyFrame], unseen: Unseen, mix: Mix) -> pl.DataFrame:
    """One row per member row: source, key, rule (null: it stays), detail and split.

    Memory: the short columns of all rows, some 200 bytes each; `Decisions` spares them where no
    rule compares rows.
    """
    rows = rows_of(tables, mix)
    marked = rows.select(*_columns(mix)).collect()
    once = marked.filter(col("prompt_id").is_first_distinct()).select("source", mix.key)
    marked = _alone(marked, _hits(tables, unseen, mix, once), mix)
    if mix.dedup != "none":
        marked = drop_copies(marked, mix.key, "duplicate")
    if mix.key == "pair_id" and mix.conflicts != "keep":
        marked = _conflicts(marked, mix)
    if mix.dedup == "near":
        marked = _near(marked, rows, mix)
    return _decided(_caps(marked, mix), mix)


class Decisions:
    """The decisions on a mix's rows: at once where rules compare rows, else part by part.

    Memory: that of `decide` where rules compare rows (`compares`); else only the benchmark hits.
    """

    def __init__(self, tables: Mapping[str, pl.LazyFrame], unseen: Unseen, mix: Mix) -> None:
        self._mix = mix
        self._all = decide(tables, unseen, mix).sort(mix.key) if compares(mix) else None
        self._known = {} if compares(mix) else _hits(tables, unseen, mix)

    def of(self, part: pl.DataFrame) -> pl.DataFrame:
        """The decisions on a part of the members' rows, sorted by key."""
        if self._all is None:
            short = part.lazy().with_columns(pl.lit(0, dtype=pl.Int32).alias("_rank"))
            marked = short.select(*_columns(self._mix)).collect()
            return _decided(_alone(marked, self._known, self._mix), self._mix)
        decided, keys = self._all[self._mix.key], part[self._mix.key]
        start = int(decided.search_sorted(keys[0], side="left"))
        end = int(decided.search_sorted(keys[-1], side="right"))
        return self._all.slice(start, end - start)


def _alone(frame: pl.DataFrame, hits: Mapping[str, pl.DataFrame], mix: Mix) -> pl.DataFrame:
    """The rules that look at one row only: weights, then what its prompt holds of the unseen."""
    frame = _weights(frame, mix)
    for rule, found in hits.items():
        joined = frame.join(found.rename({"detail": "_hit"}), on="prompt_id", how="left")
        frame = mark(joined, col("_hit").is_not_null(), rule, col("_hit")).drop("_hit")
    return frame


def _decided(marked: pl.DataFrame, mix: Mix) -> pl.DataFrame:
    unit = ids.unit(col("prompt_id"), mix.split_seed, "split")
    split = pl.when(unit < mix.eval_share).then(pl.lit("eval")).otherwise(pl.lit("train"))
    return marked.select("source", mix.key, "rule", "detail", split.alias("split"))


def _columns(mix: Mix) -> list[pl.Expr]:
    """The short columns that decisions are taken on."""
    columns = [col("source"), col(mix.key), col("prompt_id"), col("_rank")]
    columns += [
        pl.lit(None, dtype=pl.String).alias("rule"),
        pl.lit(None, dtype=pl.String).alias("detail"),
    ]
    if any(member.weight < 1.0 for member in mix.members.values()):
        columns.append(ids.unit(col("prompt_id"), mix.caps_seed, "weight").alias("_weight"))
    if mix.per_prompt_cap is not None or any(m.cap is not None for m in mix.members.values()):
        columns.append(ids.unit(col(mix.key), mix.caps_seed, "cap").alias("_cap"))
    if mix.key == "pair_id" and mix.conflicts != "keep":
        sides = [ids.canonical(col(side)).hash() for side in ("chosen", "rejected")]
        columns += [side.alias(name) for side, name in zip(sides, ("_a", "_b"), strict=True)]
    return columns


def mark(frame: pl.DataFrame, drop: pl.Expr, rule: str, detail: pl.Expr) -> pl.DataFrame:
    """Name the rule of the rows to drop that no earlier rule has named."""
    hit = drop.fill_null(False) & col("rule").is_null()
    return frame.with_columns(
        pl.when(hit).then(pl.lit(rule)).otherwise("rule").alias("rule"),
        pl.when(hit).then(detail).otherwise("detail").alias("detail"),
    )


def place(by: str, order: Sequence[str]) -> pl.Expr:
    """Place of a row among the living rows of its group."""
    return pl.int_range(pl.len()).over(by, order_by=[col("rule").is_not_null(), *map(col, order)])


def drop_copies(frame: pl.DataFrame, key: str, rule: str) -> pl.DataFrame:
    """Keep the first living row of each key, by member rank; the detail names its source."""
    first = col("source").sort_by([col("rule").is_not_null(), col("_rank")]).first().over(key)
    return mark(frame, place(key, ["_rank"]) >= 1, rule, pl.format("the copy of {} stays", first))


def _weights(frame: pl.DataFrame, mix: Mix) -> pl.DataFrame:
    for name, member in mix.members.items():
        if member.weight < 1.0:
            drop = (col("source") == name) & (col("_weight") >= member.weight)
            frame = mark(frame, drop, "weight", pl.lit(f"weight {member.weight} of {name}"))
    return frame


def _hits(
    tables: Mapping[str, pl.LazyFrame],
    unseen: Unseen,
    mix: Mix,
    once: pl.DataFrame | None = None,
) -> dict[str, pl.DataFrame]:
    """Prompts that hold what must stay unseen, by rule, read from the rows named in `once`."""
    prompt = col("prompt" if mix.key == "pair_id" else "messages").alias("prompt")

    def asked() -> Iterator[pl.DataFrame]:
        for name in mix.members:
            for batch in batches(tables[name].select("source", mix.key, "prompt_id", prompt)):
                rows = (
                    batch if once is None else batch.join(once, on=["source", mix.key], how="semi")
                )
                yield rows.select("prompt_id", "prompt").unique("prompt_id", maintain_order=True)

    return unseen.hits(asked, mix.decontaminate)


def _conflicts(frame: pl.DataFrame, mix: Mix) -> pl.DataFrame:
    """Opposite labels of the same two responses to the same prompt."""
    group = ["prompt_id", "_low", "_high"]
    alive = col("rule").is_null()
    frame = frame.with_columns(
        pl.min_horizontal("_a", "_b").alias("_low"), pl.max_horizontal("_a", "_b").alias("_high")
    )
    both = (alive & (col("_a") < col("_b"))).any().over(group) & (
        alive & (col("_a") > col("_b"))
    ).any().over(group)
    drop = both
    if mix.conflicts == "first_member":
        best = pl.when(alive).then("_rank").min().over(group)
        alone = (alive & (col("_rank") == best)).sum().over(group) == 1
        drop = both & ~((col("_rank") == best) & alone)
    said = pl.lit(f"another row of the mix prefers the other response; policy {mix.conflicts}")
    return mark(frame, drop, "conflict", said)


def _near(frame: pl.DataFrame, rows: pl.LazyFrame, mix: Mix) -> pl.DataFrame:
    """Of near prompts the one in the set of highest preference stays, there the lowest id."""
    alive = frame.filter(col("rule").is_null()).sort("_rank", "prompt_id")
    first = alive.unique("prompt_id", keep="first").select("prompt_id", "source", "_rank")
    prompts = (
        rows.select("prompt_id", messages.text(_asked(mix)).alias("text"))
        .unique("prompt_id")
        .join(first.lazy(), on="prompt_id")
        .sort("_rank", "prompt_id")
        .collect()
    )
    return drop_near(frame, prompts, mix.near_threshold)


def _asked(mix: Mix) -> pl.Expr:
    """The prompt of a row: its context, or its messages before the last."""
    said = col("messages")
    return col("prompt") if mix.key == "pair_id" else said.list.head(said.list.len() - 1)


def drop_near(frame: pl.DataFrame, prompts: pl.DataFrame, threshold: float) -> pl.DataFrame:
    """Drop the rows of prompts that are near one that stays; the detail names it.

    Args:
        prompts: prompt_id (unique), source and text of the living rows, in order of preference.
    """
    found = near_duplicates(prompts, threshold)
    named = prompts.select(near="prompt_id", _source="source")
    gone = found.join(named, on="near")
    frame = frame.join(gone, on="prompt_id", how="left", maintain_order="left")
    said = pl.format(
        "near prompt {} of {}: similarity {}", "near", "_source", col("similarity").round(3)
    )
    frame = mark(frame, col("near").is_not_null(), "near_duplicate", said)
    return frame.drop("near", "similarity", "_source")


def _caps(frame: pl.DataFrame, mix: Mix) -> pl.DataFrame:
    if mix.per_prompt_cap is not None:
        said = pl.lit(f"more than {mix.per_prompt_cap} rows of one prompt")
        over = place("prompt_id", ["_cap", mix.key]) >= mix.per_prompt_cap
        frame = mark(frame, over, "per_prompt_cap", said)
    for name, member in mix.members.items():
        if member.cap is not None:
            over = (col("source") == name) & (place("source", ["_cap", mix.key]) >= member.cap)
            frame = mark(
                frame, over, "member_cap", pl.lit(f"more than {member.cap} rows of {name}")
            )
    return frame


_COUNT = {"source": pl.String, "rule": pl.String, "len": pl.Int64}


class Sorting:
    """The members' rows, merged in key order and told apart by the decisions, in constant memory.

    `kept` to its end, then `rejects`.
    """

    def __init__(self, decisions: Decisions, mix: Mix, stage: str, folder: Path) -> None:
        self._decisions, self._mix, self._stage = decisions, mix, stage
        self._gone = Spill(folder, "item_id")
        self._counts = [pl.DataFrame(schema=_COUNT)]

    def kept(self, tables: Mapping[str, pl.LazyFrame]) -> Iterator[pl.DataFrame]:
        """Frames of the rows that stay, with their split."""
        key = self._mix.key
        streams = [ahead(batches(tables[name])) for name in self._mix.members]
        for part in merged(streams, key):
            on = ["source", key]
            joined = part.join(self._decisions.of(part), on=on, maintain_order="left")
            if joined.height != part.height:
                raise AssertionError(f"{self._stage}: {part.height} rows, {joined.height} decided")
            self._counts.append(joined.group_by("source", "rule").agg(pl.len().cast(pl.Int64)))
            self._gone.add(self._rejects(joined.filter(col("rule").is_not_null())))
            yield joined.filter(col("rule").is_null())

    @property
    def counts(self) -> pl.DataFrame:
        """Rows so far by source and rule (null: kept): source, rule, len."""
        whole = pl.concat(self._counts).group_by("source", "rule").agg(col("len").sum())
        return whole.sort("source", "rule")

    def rejects(self) -> Iterator[pl.DataFrame]:
        """Frames of the rejects; item_id is source:key, as one key may come from two sets."""
        return self._gone.parts()

    def _rejects(self, gone: pl.DataFrame) -> pl.DataFrame:
        return gone.select(
            pl.lit(self._stage).alias("stage"),
            pl.concat_str("source", self._mix.key, separator=":").alias("item_id"),
            "source",
            "rule",
            "detail",
            pl.struct(pl.exclude("rule", "detail", "split")).struct.json_encode().alias("payload"),
        )
