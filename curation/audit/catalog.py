"""What a build holds on disk: its Parquet files by table and its small JSON files as rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.core import schema
from curation.core.errors import UserError
from curation.review.decisions import REVIEWS

FILES: dict[str, tuple[schema.Table, tuple[str, ...]]] = {
    "preferences": (schema.PREFERENCES, ("sources/preference/*/table.parquet",)),
    "sft": (schema.SFT, ("sources/sft/*/table.parquet",)),
    "prompt_source": (schema.PROMPT_SOURCE, ("sources/prompts/*/table.parquet",)),
    "benchmark": (schema.BENCHMARK, ("sources/benchmark/*/table.parquet",)),
    "rejects": (
        schema.REJECTS,
        (
            "sources/*/*/fetch_rejects.parquet",
            "sources/*/*/rejects.parquet",
            "mixes/*/rejects.parquet",
            "sft_mix/rejects.parquet",
            "prompts/rejects.parquet",
            "iterations/*/*_rejects.parquet",
            "evaluation/*/rejects.parquet",
        ),
    ),
    "mixes": (schema.MIXES, ("mixes/*/mix.parquet",)),
    "sft_mix": (schema.SFT_MIX, ("sft_mix/sft_mix.parquet",)),
    "prompts": (schema.PROMPTS, ("prompts/prompts.parquet",)),
    "generations": (schema.GENERATIONS, ("iterations/*/generations.parquet",)),
    "scores": (schema.SCORES, ("iterations/*/scores.parquet",)),
    "pairs": (schema.PAIRS, ("iterations/*/pairs.parquet",)),
    "history": (schema.HISTORY, ("iterations/*/history.parquet",)),
    "reference": (schema.REFERENCE, ("iterations/*/reference.parquet",)),
    "evaluation_generations": (schema.GENERATIONS, ("evaluation/*/generations.parquet",)),
    "evaluation_scores": (schema.SCORES, ("evaluation/*/scores.parquet",)),
    "evaluation_parts": (schema.PARTS, ("evaluation/*/parts.parquet",)),
    "length_bias_scores": (schema.SCORES, ("length_bias/*/scores.parquet",)),
    "reviews": (REVIEWS, ("reviews/*.parquet",)),
}
"""View name -> its table and where its files lie under the build's folder."""

# shipped input, and what is made from the build
_NOT_BUILT = {"sample", "checkable", "report", "metrics", "docs"}
_WEIGHTS = "checkpoints"


@dataclass(frozen=True)
class Check:
    """One check of one gate report."""

    gate: str
    table_name: str
    rows: int | None
    check: str
    sentence: str
    violations: int
    examples: str
    passed: bool


def tables(data: Path) -> dict[str, list[Path]]:
    """The Parquet files of each view, sorted; a view without files has an empty list.

    Raises:
        UserError: the folder does not exist.
    """
    if not data.is_dir():
        raise UserError(
            f"{data}: no such folder; run dvc repro first, or name the build with --data"
        )
    found = {}
    for name, (_, patterns) in FILES.items():
        files = {file for pattern in patterns for file in data.glob(pattern)}
        found[name] = sorted(file for file in files if _built(file, data))
    return found


def documents(data: Path) -> dict[str, dict[str, Any]]:
    """Every small JSON object of the build by its path relative to the build's folder.

    Checkpoint folders give only their prefloop.json; the shipped sample and the report give none.
    """
    found = {}
    for file in sorted(data.rglob("*.json")):
        relative = file.relative_to(data)
        if _built(file, data) and _wanted(relative):
            value = _load(file)
            if isinstance(value, dict):
                found[relative.as_posix()] = value
    return found


def checks(found: dict[str, dict[str, Any]]) -> list[Check]:
    """Every check of every gate report, and every expectation, among the documents."""
    rows: list[Check] = []
    for path, report in found.items():
        gate = path.removesuffix(".json")
        if _is_gate(report):
            for name, one in _verdicts(gate, report):
                rows.extend(_check(name, one, item) for item in one["checks"])
        elif _is_suite(report):
            for name, frame in report["frames"].items():
                rows.extend(_expectation(gate, name, frame, one) for one in frame["expectations"])
    return rows


def metrics(found: dict[str, dict[str, Any]]) -> list[tuple[str, str, float | None, str]]:
    """Every figure outside the gate reports as (file, dotted key, number or None, text)."""
    return [
        (path.removesuffix(".json"), key, _number(value), str(value))
        for path, report in found.items()
        if not _is_gate(report)
        and not _is_suite(report)
        and not path.endswith(("fetch.json", "prefloop.json"))
        for key, value in _leaves(report, "")
    ]


def manifests(found: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per fetched source: its kind, its name and what fetch recorded of it."""
    rows = []
    for path, manifest in found.items():
        parts = path.split("/")
        if parts[0] == "sources" and parts[-1] == "fetch.json":
            files = manifest["files"]
            made = {
                "kind": parts[1],
                "source": parts[2],
                "commit_sha": manifest["commit"],
                "sha256": " ".join(file["sha256"] for file in files),
                "bytes": sum(file["bytes"] for file in files),
            }
            rows.append(manifest | made)
    return rows


def checkpoints(found: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per checkpoint: its name and what training recorded in prefloop.json."""
    prefix, suffix = f"{_WEIGHTS}/", "/prefloop.json"
    return [
        {**note, "checkpoint": path.removeprefix(prefix).removesuffix(suffix)}
        for path, note in found.items()
        if path.startswith(prefix) and path.endswith(suffix)
    ]


def _built(file: Path, data: Path) -> bool:
    parts = file.relative_to(data).parts
    return parts[0] not in _NOT_BUILT and not any(part.startswith(".") for part in parts)


def _wanted(relative: Path) -> bool:
    if relative.parts[0] != _WEIGHTS:
        return True
    inside = len(relative.parts) - (3 if relative.parts[1] == "reward_models" else 2)
    return inside <= 0 or relative.name == "prefloop.json"


def _load(file: Path) -> Any:
    try:
        return json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise UserError(f"{file}: not valid JSON ({error}); run its stage again") from error


def _is_gate(report: dict[str, Any]) -> bool:
    return "passed" in report and ("checks" in report or "tables" in report)


def _verdicts(gate: str, report: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The report of each table by the gate's name, of several tables with the table's behind it."""
    if "checks" in report:
        yield gate, report
    for name, one in report.get("tables", {}).items():
        yield f"{gate}/{name}", one


def _is_suite(report: dict[str, Any]) -> bool:
    return isinstance(report.get("frames"), dict)


def _expectation(gate: str, table: str, frame: dict[str, Any], one: dict[str, Any]) -> Check:
    column = one["arguments"].get("column", "")
    return Check(
        gate=gate,
        table_name=table,
        rows=frame.get("rows"),
        check=" ".join(filter(None, (one["expectation"], column))),
        sentence=one["why"],
        violations=int(one["violations"]),
        examples="[]",
        passed=bool(one["passed"]),
    )


def _check(gate: str, report: dict[str, Any], item: dict[str, Any]) -> Check:
    violations = int(item.get("violations", 0))
    return Check(
        gate=gate,
        table_name=str(report.get("table", gate)),
        rows=report.get("rows"),
        check=str(item.get("name", "")),
        sentence=str(item.get("sentence", "")),
        violations=violations,
        examples=json.dumps(item.get("examples", []), ensure_ascii=False),
        passed=bool(item.get("passed", violations == 0)),
    )


def _leaves(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{key}.{index}")
    else:
        yield key, value


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
