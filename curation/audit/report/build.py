"""From a build on disk to the files of its report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from curation.audit.connect import open_build
from curation.audit.report.browser import sample, sample_iteration
from curation.audit.report.charts import Figure, standalone
from curation.audit.report.figures import all_figures
from curation.audit.report.histograms import histograms
from curation.audit.report.measures import Measures, measure
from curation.audit.report.page import Context, ordered, render, render_iteration

MAP_POINTS = 1500  # of a larger pool the map shows this many prompts, chosen by hash


@dataclass(frozen=True)
class Report:
    """The files of a report: its page, its figures, its summary, a page for each iteration.

    Attributes:
        tables: rows of the page's tables that no figure draws, by name.
        metrics: kind/name of each policy, mix and judge -> its few figures.
    """

    page: str
    figures: list[Figure]
    policies: list[dict[str, Any]]
    summary: dict[str, Any]
    iterations: dict[str, str]
    tables: dict[str, list[dict[str, Any]]]
    metrics: dict[str, dict[str, float]]

    def drawings(self) -> dict[str, str]:
        """File name -> SVG of every figure, each able to stand alone."""
        return {f"{item.name}.svg": standalone(item.svg) for item in self.figures}

    def records(self) -> dict[str, list[dict[str, Any]]]:
        """File name -> the rows behind every figure and table, in the form `dvc plots` reads."""
        drawn = {f"{item.name}.json": item.records for item in self.figures}
        return drawn | {f"{name}.json": rows for name, rows in self.tables.items()}


def build(data: Path, params: Mapping[str, Any]) -> Report:
    """Make the report of the build under `data`.

    Args:
        data: the build's folder.
        params: params.yaml as plain dicts.
    """
    con = open_build(data)
    try:
        return _made(con, params)
    finally:
        con.close()


def _made(con: duckdb.DuckDBPyConnection, params: Mapping[str, Any]) -> Report:
    seed, limit = params["seeds"]["report"], params["report"]["pairs_sample"]
    found = measure(con, seed, MAP_POINTS)
    order = policy_order(params)
    figures = all_figures(found, order)
    whole = Context("Report of this build", found, figures, sample(con, seed, limit), params, order)
    pages = {}
    for row in found.iterations:
        name = row["iteration"]
        pairs = sample_iteration(con, name, seed, limit)
        context = replace(
            whole, title=f"Iteration {name}", figures=histograms(found, name), pairs=pairs
        )
        pages[name] = render_iteration(context, name)
    policies = ordered(found.policies, "policy", order)
    rows = {"changed": found.changed, "changed_kinds": found.changed_kinds}
    tables = {name: table for name, table in rows.items() if table}
    return Report(render(whole), figures, policies, summary(found), pages, tables, metrics(found))


def policy_order(params: Mapping[str, Any]) -> list[str]:
    """Policies from first to last: SFT, the iterations as listed, the offline baseline."""
    return ["sft", *params["iterations"], "offline"]


def metrics(found: Measures) -> dict[str, dict[str, float]]:
    """kind/name of each policy, mix and judge -> those of its key figures that are known."""
    return {
        f"{row['kind']}/{row['name']}": {
            key: value
            for key, value in row.items()
            if key not in ("kind", "name") and value is not None
        }
        for row in found.key_figures
    }


def summary(found: Measures) -> dict[str, Any]:
    """The report's own metrics: reward by policy, pairs by iteration, gates, drops by stage."""
    policies = {
        row["policy"]: {
            key: row[key]
            for key in ("oracle_reward", "oracle_se", "responses", "win_rate", "win_se", "chars")
        }
        for row in found.policies
    }
    iterations = {
        row["iteration"]: {
            key: row[key]
            for key in (
                *("reward", "chars", "cut_responses", "pairs", "cut_pairs", "margin"),
                *("tie_rate", "pearson"),
            )
        }
        for row in found.iterations
    }
    gates = {
        "passed": sum(1 for gate in found.gates if gate["passed"]),
        "failed": sum(1 for gate in found.gates if not gate["passed"]),
    }
    return {
        "policies": policies,
        "iterations": iterations,
        "gates": gates,
        "dropped": sum(row["dropped"] for row in found.waterfall),
    }
