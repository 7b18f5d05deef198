"""The figures of a card: what the lock and the build's tables say of what is published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import duckdb

from curation.audit import sql
from curation.audit.connect import rows
from curation.core.errors import UserError
from curation.core.statements import statement
from curation.publish.layout import Config
from curation.publish.licences import TERMS, normal

Rows = list[dict[str, Any]]


def _statement(name: str) -> str:
    return statement("curation.publish", name)


def failed_gates(con: duckdb.DuckDBPyConnection) -> None:
    """Refuse a build that a gate has refused.

    Raises:
        UserError: a check found violating rows.
    """
    failed = rows(con, _statement("failed_gates"))
    if failed:
        names = ", ".join(row["gate"] for row in failed)
        raise UserError(f"gate failed: {names}; mend the build (dvc repro), then publish")


def shipped(con: duckdb.DuckDBPyConnection, name: str) -> Rows:
    """The rows of a shipped audit query."""
    return rows(con, sql.named(name).text)


def iterations_of(configs: Iterable[Config]) -> set[str]:
    """The iterations whose tables are among the configs."""
    return {config.file.parent.name for config in configs if "iterations" in config.file.parts}


def only(found: Rows, column: str, names: Iterable[str]) -> Rows:
    """The rows whose column is one of the names, without columns that are empty throughout."""
    kept = [row for row in found if row[column] in set(names)]
    filled = [key for key in (kept[0] if kept else {}) if any(row[key] is not None for row in kept)]
    return [{key: row[key] for key in filled} for row in kept]


def waterfall(con: duckdb.DuckDBPyConnection, stages: Iterable[str]) -> Rows:
    """What each of the stages took in, dropped and kept, over all its sources."""
    totals: dict[str, dict[str, Any]] = {}
    seen: set[tuple[str, str]] = set()
    wanted = set(stages)
    for row in shipped(con, "waterfall"):
        if row["stage"] not in wanted:
            continue
        total = totals.setdefault(
            row["stage"], {"stage": row["stage"], "entered": 0, "dropped": 0, "kept": 0}
        )
        total["dropped"] += row["dropped"]
        if (row["stage"], row["source"]) not in seen:
            seen.add((row["stage"], row["source"]))
            total["entered"] += row["entered"]
            total["kept"] += row["kept"]
    order = {name: at for at, name in enumerate(stages)}
    return sorted(totals.values(), key=lambda total: order[total["stage"]])


def drops(con: duckdb.DuckDBPyConnection, stages: Iterable[str]) -> Rows:
    """Rows dropped by rule in each of the stages: the pairing and the sampling among them."""
    order = {name: at for at, name in enumerate(stages)}
    found = [row for row in rows(con, _statement("drops")) if row["stage"] in order]
    return sorted(found, key=lambda row: order[row["stage"]])


def sources(
    con: duckdb.DuckDBPyConnection, params: Mapping[str, Any], names: Iterable[str]
) -> Rows:
    """Each source: where it came from, at which revision, its hash, its licence, its labeller."""
    known = {row["source"]: row for row in rows(con, "select * from sources")}
    made = []
    for name in sorted(set(names) & set(known)):
        row, stated = known[name], params["sources"].get(name, {})
        made.append(
            {
                "source": name,
                "kind": row["kind"],
                "from": row["uri"],
                "revision": row["commit_sha"] or row["revision"],
                "sha256": row["sha256"],
                "rows": row["native_rows"],
                "licence": stated.get("license", "unknown"),
                "labelled by": stated.get("annotator"),
            }
        )
    return only(made, "source", names)


def obligations(licences: Mapping[str, str]) -> Rows:
    """Each licence that counts: whose it is and what it asks."""
    made = []
    for name, licence in sorted(licences.items()):
        one = normal(licence)
        asks = TERMS[one].words() if one in TERMS else "unknown"
        made.append({"source": name, "licence": licence, "asks": asks})
    return made


def gates(con: duckdb.DuckDBPyConnection) -> Rows:
    """Every gate of the build with the number of its checks and its verdict."""
    return [
        {
            "gate": row["gate"],
            "rows": row["rows_checked"],
            "checks": row["checks"],
            "violations": row["violations"],
            "verdict": "passed" if row["passed"] else "FAILED",
        }
        for row in shipped(con, "gate_verdicts")
    ]


def policies(con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> Rows:
    """The evaluation of these policies, where the build has one."""
    return only(shipped(con, "policies"), "policy", names)


def training(con: duckdb.DuckDBPyConnection, checkpoint: str) -> Rows:
    """What the training stage of a checkpoint measured."""
    files = (f"checkpoints/{checkpoint}", f"iterations/{checkpoint}/dpo")
    return [row for file in files for row in rows(con, _statement("training"), {"file": file})]


def weights(con: duckdb.DuckDBPyConnection, checkpoint: str) -> dict[str, Any]:
    """Kind of a checkpoint, and the hashes of its weights and chat template.

    Raises:
        UserError: the build has no such checkpoint.
    """
    found = rows(con, _statement("weights"), {"checkpoint": checkpoint})
    if not found:
        raise UserError(f"{checkpoint}: no prefloop.json beside its weights; train it first")
    return found[0]
