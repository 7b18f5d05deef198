"""`prefloop lineage CHECKPOINT`: everything that made a checkpoint, back to the native files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from curation.audit.connect import open_build, rows
from curation.core.errors import UserError
from curation.core.statements import statement


@dataclass(frozen=True)
class Node:
    """One thing in the ancestry: its name, what kind of thing it is, what is known of it."""

    name: str
    kind: str
    detail: str
    depth: int


@dataclass(frozen=True)
class Lineage:
    """The ancestry of a checkpoint: nodes, and edges from what was used to what it made."""

    checkpoint: str
    nodes: list[Node]
    edges: list[tuple[str, str]]


class _Graph:
    """Collects nodes once each, with the depth they were first reached at."""

    def __init__(self, con: duckdb.DuckDBPyConnection, params: Mapping[str, Any]) -> None:
        self.con = con
        self.params = params
        self.nodes: dict[str, Node] = {}
        self.edges: list[tuple[str, str]] = []
        self.shas = {
            row["checkpoint"]: row["weights_sha"]
            for row in rows(con, "select checkpoint, weights_sha from checkpoints")
        }

    def add(self, name: str, kind: str, detail: str, child: str | None) -> bool:
        """Add a node and its edge to a child; false if the node was there already."""
        if child is not None and (name, child) not in self.edges:
            self.edges.append((name, child))
        if name in self.nodes:
            return False
        depth = self.nodes[child].depth + 1 if child is not None else 0
        self.nodes[name] = Node(name, kind, detail, depth)
        return True


def trace(data: Path, params: Mapping[str, Any], checkpoint: str) -> Lineage:
    """Follow a checkpoint back to its policies, judges, pairs, prompts, mixes and sources.

    Args:
        data: the build's folder.
        params: params.yaml as plain dicts.
        checkpoint: a name such as iter2, offline, sft or reward_models/mix1.

    Raises:
        UserError: no stage of params.yaml makes a checkpoint of this name.
    """
    known = _known(params)
    if checkpoint not in known:
        raise UserError(f"{checkpoint}: not a checkpoint of this recipe; one of {', '.join(known)}")
    con = open_build(data)
    try:
        graph = _Graph(con, params)
        _checkpoint(graph, checkpoint, None)
        return Lineage(checkpoint, list(graph.nodes.values()), graph.edges)
    finally:
        con.close()


def _known(params: Mapping[str, Any]) -> list[str]:
    models = [f"reward_models/{name}" for name in params["mixes"]]
    return ["base", "sft", "preference_model", "offline", *params["iterations"], *models]


def _checkpoint(graph: _Graph, name: str, child: str | None) -> None:
    if not graph.add(name, "checkpoint", _weights(graph, name), child):
        return
    if name == "base":
        _base(graph, name)
    elif name == "sft":
        _checkpoint(graph, "base", name)
        if graph.params["sft"] is not None:
            _sft_mix(graph, name)
    elif name == "offline":
        _checkpoint(graph, "sft", name)
        _source(graph, graph.params["dpo_offline"]["source"], name)
    elif name.startswith("reward_models/"):
        _checkpoint(graph, "sft", name)
        _mix(graph, name.removeprefix("reward_models/"), name)
    elif name == "preference_model":
        _checkpoint(graph, "sft", name)
        _mix(graph, graph.params["preference_model"]["mix"], name)
    else:
        _policy(graph, name)


def _base(graph: _Graph, child: str) -> None:
    """The set that a tokenizer was trained on, or the model that others published."""
    base = graph.params["base"]
    if base.get("uri") is None:
        _source(graph, base["corpus"], child)
        return
    revision = base.get("revision")
    known = f"revision {revision}" if revision else "its hash or commit stands in the base's card"
    graph.add(f"model {base['uri']}", "model", known, child)


def _weights(graph: _Graph, name: str) -> str:
    sha = graph.shas.get(name)
    return f"weights {sha}" if sha else "weights not in this build"


def _policy(graph: _Graph, name: str) -> None:
    """A policy of an iteration: where it started, its reference, and its history's iterations."""
    dpo, iteration = graph.params["dpo"], graph.params["iterations"][name]
    start = iteration["policy"] if dpo["start"] == "previous" else "sft"
    reference = "sft" if dpo["reference"] == "sft" else iteration["policy"]
    _checkpoint(graph, start, name)
    _checkpoint(graph, reference, name)
    for row in rows(graph.con, _statement("origins"), {"policy": name}):
        _pairs(graph, row["origin"], row["pairs"], name)


def _pairs(graph: _Graph, origin: str, pairs: int, child: str) -> None:
    """The pairs one origin gave to a history, with the policy and judge behind them."""
    node = f"pairs of {origin}"
    if not graph.add(node, "pairs", f"{pairs:,} in the history of {child}", child):
        return
    if origin not in graph.params["iterations"]:
        _mix(graph, graph.params["history"]["offline"], node)
        return
    for row in rows(graph.con, _statement("samples"), {"iteration": origin}):
        graph.add(
            f"responses of {origin}",
            "responses",
            f"{row['responses']:,} to {row['prompts']:,} prompts, {row['seeds']:,} seeds, "
            f"{row['engine']}, policy weights {row['policy_sha']}",
            node,
        )
        _prompts(graph, origin, f"responses of {origin}")
        _checkpoint(graph, row["policy"], f"responses of {origin}")
    for row in rows(graph.con, _statement("judges"), {"iteration": origin}):
        model = row["judge"].replace("reward_model/", "reward_models/", 1)
        if model in _known(graph.params):
            _checkpoint(graph, model, node)
        else:
            graph.add(row["judge"], "judge", f"weights {row['judge_sha']}", node)


def _prompts(graph: _Graph, origin: str, child: str) -> None:
    low, high = graph.params["iterations"][origin]["prompts"]
    node = f"prompts of {origin}"
    if graph.add(node, "prompts", f"buckets {low} to {high} of the pool", child):
        for row in rows(graph.con, _statement("prompts"), {"iteration": origin}):
            _source(graph, row["source"], node)


def _mix(graph: _Graph, mix: str, child: str) -> None:
    found = rows(graph.con, _statement("mix"), {"mix": mix})
    total = sum(row["pairs"] for row in found)
    if graph.add(f"mix {mix}", "mix", f"{total:,} pairs of {len(found)} sources", child):
        for row in found:
            _source(graph, row["source"], f"mix {mix}")


def _sft_mix(graph: _Graph, child: str) -> None:
    found = rows(graph.con, _statement("sft_mix"))
    total = sum(row["n"] for row in found)
    if graph.add("sft_mix", "mix", f"{total:,} conversations of {len(found)} sources", child):
        for row in found:
            _source(graph, row["source"], "sft_mix")


def _source(graph: _Graph, source: str, child: str) -> None:
    found = rows(graph.con, "select * from sources where source = ?", [source])
    parts = ["not fetched in this build"]
    if found:
        row = found[0]
        parts = [
            f"{row['native_rows']:,} rows of {row['uri']}",
            *([f"revision {row['commit_sha'] or row['revision']}"] if row["revision"] else []),
            f"sha256 {row['sha256']}",
        ]
    graph.add(f"source {source}", "source", ", ".join(parts), child)


def _statement(name: str) -> str:
    return statement("curation.audit", f"lineage/{name}")
