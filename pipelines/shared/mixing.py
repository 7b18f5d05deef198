"""What the mix and sft_mix stages share: read the members, decide, write table, ledger, metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from curation.core import schema, statistics
from curation.core.errors import UserError
from curation.core.schema import Table
from curation.mixing.decontaminate import Settings
from curation.mixing.held_out import Unseen, held
from curation.mixing.mix import Decisions, Member, Mix, Sorting
from pipelines.core import io
from pipelines.core.arguments import Arguments, reads, writes
from pipelines.core.params import Params, data
from pipelines.core.scratch import scratch
from pipelines.core.stage import Stage


class Files(Arguments):
    """What a stage that builds a mix reads and writes."""

    sources: Path = reads()
    benchmarks: Path = reads()
    prompts: Path = reads()
    table: Path = writes()
    rejects: Path = writes()
    metrics: Path = writes()


Figures = Callable[[pl.LazyFrame], dict[str, Any]]


def settings(given: data.Decontaminate) -> Settings:
    """The decontamination section of params.yaml."""
    return Settings(given.ngram, given.exact, given.min_hits)


def recipe(name: str, key: str, given: data.Mix, whole: Params) -> Mix:
    """A mix section of params.yaml with its seeds."""
    return Mix(
        name=name,
        key=key,
        members={one: Member(m.weight, m.cap) for one, m in given.members.items()},
        eval_share=given.eval_share,
        split_seed=whole.seeds.split,
        caps_seed=whole.seeds.caps,
        per_prompt_cap=given.per_prompt_cap,
        dedup=given.dedup,
        near_threshold=given.near_threshold,
        conflicts=given.conflicts,
        decontaminate=settings(given.decontaminate),
    )


def benchmarks(folder: Path, whole: Params) -> pl.DataFrame:
    """The items of every benchmark that params.yaml names."""
    names = [name for name, one in whole.sources.items() if one.kind == "benchmark"]
    return pl.concat([io.read(folder / name / "table.parquet", schema.BENCHMARK) for name in names])


@dataclass(frozen=True)
class Kind:
    """What tells a mix of preferences from one of demonstrations."""

    member: Table  # of a member's rows
    mix: Table
    figures: Figures


def build(run: Stage, files: Files, mix: Mix, whole: Params, kind: Kind) -> None:
    """Write one mix of a kind.

    Raises:
        UserError: no row is left.
    """
    if not mix.members:
        _nothing(run, files, kind)
        return
    members = {
        name: io.scan(files.sources / name / "table.parquet", kind.member) for name in mix.members
    }
    pool = io.read(files.prompts, schema.PROMPTS)
    unseen = Unseen(benchmarks(files.benchmarks, whole), held(pool))
    decisions = Decisions(members, unseen, mix)
    with scratch() as folder:
        work = Sorting(decisions, mix, stage_name(mix), folder)
        stay = run.outputs.parts(files.table, kind.mix, work.kept(members))
        gone = run.outputs.parts(files.rejects, schema.REJECTS, work.rejects())
    counts = work.counts
    rows = int(counts["len"].sum())
    if not stay:
        raise UserError(_why_empty(mix, counts))
    if stay + gone != rows:
        raise AssertionError(f"{mix.name}: {rows} rows in, {stay} + {gone} out")
    run.outputs.json(files.metrics, _metrics(run.outputs.staged(files.table), counts, kind.figures))
    run.summary.rows_in, run.summary.kept, run.summary.rejected = rows, stay, gone


def _nothing(run: Stage, files: Files, kind: Kind) -> None:
    """The mix of no members, which a recipe may have that trains on none: tables without rows."""
    run.outputs.table(files.table, kind.mix, kind.mix.empty())
    run.outputs.table(files.rejects, schema.REJECTS, schema.REJECTS.empty())
    none = pl.DataFrame(schema={"source": pl.String, "rule": pl.String, "len": pl.Int64})
    run.outputs.json(files.metrics, _metrics(kind.mix.empty().lazy(), none, kind.figures))
    run.summary.note = "no members"


def _why_empty(mix: Mix, counts: pl.DataFrame) -> str:
    if counts.is_empty():
        return f"{mix.name}: its members hold no row; see the rejects of {', '.join(mix.members)}"
    rules = counts.group_by("rule").agg(pl.col("len").sum()).sort("len", "rule", descending=True)
    rule, count = rules.row(0)
    return (
        f"{mix.name}: its filters leave no row of {counts['len'].sum()}; "
        f"most drops: {rule} ({count}); see params.yaml"
    )


def _metrics(made: pl.LazyFrame, counts: pl.DataFrame, figures: Figures) -> dict[str, Any]:
    splits = {name: figures(made.filter(pl.col("split") == name)) for name in ("train", "eval")}
    described = {"members": _members(counts), "figures": figures(made), **splits}
    return {**statistics.counted(counts), **described}


def stage_name(mix: Mix) -> str:
    """The stage's name in the ledger."""
    return "sft_mix" if mix.key == "example_id" else f"mix@{mix.name.rpartition('.')[2]}"


def _members(counts: pl.DataFrame) -> dict[str, Any]:
    """Rows in and drops by rule of each member."""
    found: dict[str, Any] = {}
    for source, rule, size in counts.iter_rows():
        entry = found.setdefault(source, {"rows_in": 0, "kept": 0, "rules": {}})
        entry["rows_in"] += size
        if rule is None:
            entry["kept"] = size
        else:
            entry["rules"][rule] = size
    return found
