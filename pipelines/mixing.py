"""What the mix and sft_mix stages share: read the members, decide, write table, ledger, metrics."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from curation import schema, statistics
from curation.decontaminate import Settings
from curation.errors import UserError
from curation.mix import Member, Mix, Sorting, decide
from curation.schema import Table
from pipelines import io
from pipelines.params import Params, data
from pipelines.stage import Stage

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
        conflicts=given.conflicts,
        decontaminate=settings(given.decontaminate),
    )


def benchmarks(folder: Path, whole: Params) -> pl.DataFrame:
    """The items of every benchmark that params.yaml names."""
    names = [name for name, one in whole.sources.items() if one.kind == "benchmark"]
    return pl.concat([io.read(folder / name / "table.parquet", schema.BENCHMARK) for name in names])


def build(
    run: Stage, mix: Mix, whole: Params, tables: tuple[Table, Table], figures: Figures
) -> None:
    """Write one mix; `tables` are the members' table and the mix's.

    Raises:
        UserError: no row is left.
    """
    member_table, mix_table = tables
    members = {
        name: io.scan(run.args.sources / name / "table.parquet", member_table)
        for name in mix.members
    }
    decisions = decide(members, benchmarks(run.args.benchmarks, whole), mix)
    if decisions.filter(pl.col("rule").is_null()).is_empty():
        raise UserError(_why_empty(mix, decisions))
    with io.scratch() as folder:
        work = Sorting(decisions, mix, stage_name(mix), folder)
        stay = run.outputs.parts(run.args.table, mix_table, work.kept(members))
        gone = run.outputs.parts(run.args.rejects, schema.REJECTS, work.rejects())
    if stay + gone != decisions.height:
        raise AssertionError(f"{mix.name}: {decisions.height} rows in, {stay} + {gone} out")
    run.outputs.json(run.args.metrics, _metrics(run, decisions, stay, figures))
    run.summary.rows_in, run.summary.kept, run.summary.rejected = decisions.height, stay, gone


def _why_empty(mix: Mix, decisions: pl.DataFrame) -> str:
    if decisions.is_empty():
        return f"{mix.name}: its members hold no row; see the rejects of {', '.join(mix.members)}"
    rule, count = decisions["rule"].value_counts(sort=True).row(0)
    return (
        f"{mix.name}: its filters leave no row of {decisions.height}; "
        f"most drops: {rule} ({count}); see params.yaml"
    )


def _metrics(run: Stage, decisions: pl.DataFrame, stay: int, figures: Figures) -> dict[str, Any]:
    made = run.outputs.staged(run.args.table)
    dropped = decisions.lazy().filter(pl.col("rule").is_not_null())
    splits = {name: figures(made.filter(pl.col("split") == name)) for name in ("train", "eval")}
    counts = statistics.ledger(decisions.height, stay, dropped)
    return {**counts, "members": _members(decisions), "figures": figures(made), **splits}


def stage_name(mix: Mix) -> str:
    """The stage's name in the ledger."""
    return "sft_mix" if mix.key == "example_id" else f"mix@{mix.name.rpartition('.')[2]}"


def _members(decisions: pl.DataFrame) -> dict[str, Any]:
    """Rows in and drops by rule of each member."""
    counts = decisions.group_by("source", "rule").len().sort("source", "rule")
    found: dict[str, Any] = {}
    for source, rule, size in counts.iter_rows():
        entry = found.setdefault(source, {"rows_in": 0, "kept": 0, "rules": {}})
        entry["rows_in"] += size
        if rule is None:
            entry["kept"] = size
        else:
            entry["rules"][rule] = size
    return found
