"""The figures of the report, as rows: every one is a shipped query over the build's views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from curation.audit import sql
from curation.audit.changed import tables
from curation.audit.connect import rows
from curation.core.statements import statement

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Measures:
    """Everything the report shows, as plain rows; an empty list means the build has none."""

    policies: Rows
    iterations: Rows
    gates: Rows
    failed: Rows
    contract: Rows
    waterfall: Rows
    rules: Rows
    mixes: Rows
    bias: Rows
    bias_cells: Rows
    bias_bins: Rows
    slices: Rows
    clusters: Rows
    map_points: Rows
    histories: Rows
    pair_rules: Rows
    facts: Rows
    rewards: Rows
    margins: Rows
    gaps: Rows
    changed: Rows
    changed_kinds: Rows
    key_figures: Rows


def measure(con: duckdb.DuckDBPyConnection, seed: int, points: int) -> Measures:
    """Run every query of the report on an open build.

    Args:
        con: a build opened with `curation.audit.connect.open_build`.
        seed: names the hash that picks the prompts of the map.
        points: how many prompts the map shows at most.
    """
    changed, changed_kinds = tables(con)
    return Measures(
        policies=_with_kl(con, _shipped(con, "policies")),
        iterations=_shipped(con, "iterations"),
        gates=_shipped(con, "gate_verdicts"),
        failed=_shipped(con, "failed_checks"),
        contract=_shipped(con, "contract"),
        waterfall=_shipped(con, "waterfall"),
        rules=_shipped(con, "most_rejected_rule"),
        mixes=_shipped(con, "mix_statistics"),
        bias=_shipped(con, "length_bias_by_judge"),
        bias_cells=_shipped(con, "length_bias_heatmap"),
        bias_bins=_shipped(con, "length_bias_histogram"),
        slices=_shipped(con, "prompt_slices"),
        clusters=_shipped(con, "prompt_clusters"),
        map_points=rows(con, _statement("map"), {"seed": seed, "shown": points}),
        histories=_shipped(con, "history_composition"),
        pair_rules=rows(con, _statement("pair_rules")),
        facts=_shipped(con, "iteration_facts"),
        rewards=_shipped(con, "reward_histogram"),
        margins=_shipped(con, "margin_histogram"),
        gaps=_shipped(con, "length_gap_histogram"),
        changed=changed,
        changed_kinds=changed_kinds,
        key_figures=_shipped(con, "key_figures"),
    )


def _statement(name: str) -> str:
    return statement("curation.audit", f"report/{name}")


def _shipped(con: duckdb.DuckDBPyConnection, name: str) -> Rows:
    return rows(con, sql.named(name).text)


def _with_kl(con: duckdb.DuckDBPyConnection, policies: Rows) -> Rows:
    """Add what `evaluate` measured of KL(policy || sft), which no table can give again."""
    found: dict[tuple[str, str], float] = {
        (row["policy"], row["key"]): row["value"] for row in rows(con, _statement("kl"))
    }
    return [
        {
            **row,
            "kl": found.get((row["policy"], "kl.mean")),
            "kl_se": found.get((row["policy"], "kl.se")),
        }
        for row in policies
    ]
