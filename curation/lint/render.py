"""Reports as text, JSON, SARIF and one page of HTML; texts of rows are escaped in each."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from curation.core.errors import printable
from curation.lint.report import Finding, Report

_LEVELS = {"MAJOR": "error", "MINOR": "warning", "INFO": "note"}
_CUT = 100  # characters of an example in the terminal


def text(reports: Sequence[Report]) -> str:
    """The reports for a terminal."""
    return "\n\n".join("\n".join(_lines(one)) for one in reports)


def _lines(report: Report) -> list[str]:
    many = f"{len(report.files)} files" if len(report.files) > 1 else report.files[0]
    head = f"{many}: {report.rows:,} rows of form {report.form} ({report.kind}), "
    lines = [head + f"{report.items:,} items"]
    if not report.findings:
        lines.append("  nothing found")
    for one in report.findings:
        rule = f", rule {one.rule}" if one.rule else ""
        count = f"{one.count:,} ({one.share:.2%})" if one.count else f"{one.share:.2%}"
        lines.append(f"  {one.severity:<5} {one.check}: {count}{rule}")
        lines.append(f"        {one.why}")
        lines += [
            f"          {_said(example.row, example.said, example.text)}"
            for example in one.examples
        ]
    figures = ", ".join(f"{name} {value}" for name, value in report.figures.items() if value != [])
    return [*lines, f"  figures: {figures}"] if figures else lines


def _said(row: int, said: str, shown: str) -> str:
    where = f"row {row}: " if row else ""
    told = f"{said} | {shown}" if said and shown else said or shown
    return printable(where + " ".join(told.split())[:_CUT])


def as_json(reports: Sequence[Report]) -> dict[str, Any]:
    """The reports as they are."""
    return {"reports": [asdict(one) for one in reports]}


def sarif(reports: Sequence[Report]) -> dict[str, Any]:
    """The reports in the Static Analysis Results Interchange Format, version 2.1.0."""
    found = [(report, one) for report in reports for one in report.findings]
    why = {one.check: one.why for _, one in found}
    rules = [{"id": name, "shortDescription": {"text": why[name]}} for name in sorted(why)]
    driver = {"name": "prefloop lint", "rules": rules}
    results = [_result(report, one) for report, one in found]
    run = {"tool": {"driver": driver}, "results": results}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return {"version": "2.1.0", "$schema": schema, "runs": [run]}


def _result(report: Report, one: Finding) -> dict[str, Any]:
    rows = [example.row for example in one.examples if example.row]
    region = {"region": {"startLine": rows[0]}} if rows and len(report.files) == 1 else {}
    place = {"artifactLocation": {"uri": report.files[0]}, **region}
    return {
        "ruleId": one.check,
        "level": _LEVELS[one.severity],
        "message": {"text": f"{one.count} of {report.items} ({one.share:.2%}): {one.why}"},
        "locations": [{"physicalLocation": place}],
    }


def page(reports: Sequence[Report]) -> str:
    """One self-contained page."""
    parts = "".join(_section(one) for one in reports)
    return _PAGE.replace("{{body}}", parts)


def _section(report: Report) -> str:
    files = ", ".join(report.files)
    facts = f"{report.rows:,} rows of form {report.form} ({report.kind}), {report.items:,} items"
    rows = "".join(_row(one) for one in report.findings) or "<tr><td>nothing found</td></tr>"
    figures = html.escape(json.dumps(report.figures, ensure_ascii=False, indent=2))
    return (
        f"<h2>{html.escape(files)}</h2><p>{html.escape(facts)}</p><table>"
        "<tr><th>severity</th><th>check</th><th>items</th><th>share</th><th>rule</th>"
        f"<th>why, and examples</th></tr>{rows}</table><pre>{figures}</pre>"
    )


def _row(one: Finding) -> str:
    shown = "".join(
        f"<li>{html.escape(f'row {example.row}: ' if example.row else '')}"
        f"{html.escape(example.said)}<br><q>{html.escape(example.text)}</q></li>"
        for example in one.examples
    )
    cells = [one.severity, one.check, f"{one.count:,}", f"{one.share:.2%}", one.rule or ""]
    filled = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
    return f"<tr class={one.severity}>{filled}<td>{html.escape(one.why)}<ul>{shown}</ul></td></tr>"


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>prefloop lint</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ccc;padding:.4rem;
text-align:left;vertical-align:top}.MAJOR td:first-child{color:#b00020;font-weight:bold}
.MINOR td:first-child{color:#8a5a00}q{color:#555;white-space:pre-wrap;overflow-wrap:anywhere}
ul{margin:.3rem 0;padding-left:1.2rem}
</style><h1>prefloop lint</h1>{{body}}</html>
"""
