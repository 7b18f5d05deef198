"""The page itself: Jinja templates with escaping on, one file, nothing from the network."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from curation.audit import paper
from curation.audit.report.browser import Shown, visible
from curation.audit.report.charts import Figure
from curation.audit.report.measures import Measures, Rows

_DASH = "\u2013"  # an en dash: there is no figure

# In the order of the graph; a stage that is not named comes last.
_STAGES = ("fetch", "standardize", "prompts", "mix", "sft_mix", "pairs_offline")


@dataclass(frozen=True)
class Context:
    """What one page shows."""

    title: str
    measures: Measures
    figures: list[Figure]
    pairs: list[Shown]
    params: Mapping[str, Any]
    order: list[str]


def render(context: Context) -> str:
    """The page of the whole build as HTML: every text escaped, no script but the page's own."""
    found = context.measures
    return page_of(
        "index.html.j2",
        context.title,
        m=found,
        policies=ordered(found.policies, "policy", context.order),
        iterations=ordered(found.iterations, "iteration", context.order),
        headline=headline(found.policies),
        evaluated={row["policy"]: row for row in found.policies},
        sampled_pairs=sum(row["pairs"] or 0 for row in found.iterations),
        verdict=_verdict(found.gates),
        dropped=dropped(found),
        sources=_waterfall(found.waterfall),
        mixes=_mixes(found.mixes, context.params["sources"]),
        figures={item.name: item for item in context.figures},
        pairs=context.pairs,
        pairs_from=", in turn from every iteration and every source of the mixes",
        params=context.params,
    )


def render_iteration(context: Context, iteration: str) -> str:
    """The page of one iteration: its figures and pairs are those of the context."""
    found = context.measures
    return page_of(
        "iteration.html.j2",
        context.title,
        iteration=iteration,
        names=[row["iteration"] for row in ordered(found.iterations, "iteration", context.order)],
        row=next(row for row in found.iterations if row["iteration"] == iteration),
        made=next((row for row in found.policies if row["policy"] == iteration), None),
        facts=[row for row in found.facts if row["iteration"] == iteration],
        rules=[row for row in found.pair_rules if row["iteration"] == iteration],
        figures=context.figures,
        pairs=context.pairs,
        pairs_from="",
    )


def page_of(template: str, title: str, **values: Any) -> str:
    """A self-contained page from a template: every text escaped, no script but the page's own."""
    script = _asset("browser.js")
    return (
        environment()
        .get_template(template)
        .render(
            title=title,
            style=Markup(_asset("style.css")),
            script=Markup(script),
            policy=_policy(script),
            paper=paper,
            **values,
        )
    )


def ordered(rows: Rows, key: str, order: list[str]) -> Rows:
    """Rows in the order of the loop; names that params.yaml does not know come last."""
    ranks = {name: rank for rank, name in enumerate(order)}
    return sorted(rows, key=lambda row: (ranks.get(row[key], len(order)), row[key]))


def headline(policies: Rows) -> dict[str, Any] | None:
    """The policy of the highest oracle reward and its gain over SFT, in standard errors too."""
    known = {row["policy"]: row for row in policies if row["oracle_reward"] is not None}
    if not known:
        return None
    best = max(known.values(), key=lambda row: (row["oracle_reward"], row["policy"]))
    first = known.get("sft")
    if first is None or first is best:
        return {"best": best, "gain": None, "sigmas": None}
    gain = best["oracle_reward"] - first["oracle_reward"]
    spread = math.hypot(best["oracle_se"] or 0.0, first["oracle_se"] or 0.0)
    return {"best": best, "gain": gain, "sigmas": gain / spread if spread else None}


def dropped(found: Measures) -> dict[str, Any]:
    """Items dropped in all stages, and the rule that dropped most of them."""
    most = found.rules[0] if found.rules else {"rule": None, "dropped": 0}
    total = sum(row["dropped"] for row in found.rules)
    return {"total": total, "rule": most["rule"], "most": most["dropped"]}


def number(value: float | int | None, digits: int = 2) -> str:
    """A figure for a table: thousands apart, a dash where there is none."""
    if value is None:
        return _DASH
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.{digits}f}"


def percent(value: float | None, digits: int = 1) -> str:
    """A share for a table, as per cent."""
    return _DASH if value is None else f"{100 * value:.{digits}f}%"


def environment(*packages: str) -> jinja2.Environment:
    """The templates of the report, after those of these packages, with escaping on."""
    wanted = (*packages, "curation.audit.report")
    made = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(name, "templates") for name in wanted]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(number=number, percent=percent, drawing=_drawing)
    made.filters.update(visible=visible, pieces=_pieces)
    return made


def _pieces(name: str) -> list[str]:
    """A name cut where a narrow column may break it: after /, @ and _."""
    return re.findall(r"[^/@_]*[/@_]|[^/@_]+$", name)


def _drawing(figure: Figure) -> Markup:
    """A figure's SVG, drawn by vl-convert from our own records, which escapes its texts."""
    return Markup(figure.svg)


def _asset(name: str) -> str:
    return files("curation.audit.report").joinpath("templates", name).read_text("utf-8")


def _policy(script: str) -> str:
    """A content security policy that lets only this script run and nothing load."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _verdict(gates: Rows) -> dict[str, int]:
    passed = sum(1 for gate in gates if gate["passed"])
    return {
        "gates": len(gates),
        "passed": passed,
        "failed": len(gates) - passed,
        "checks": sum(gate["checks"] for gate in gates),
    }


def _waterfall(rows: Rows) -> list[dict[str, Any]]:
    """One entry per stage and source with its rules, in the order of the graph.

    A fetch that dropped nothing is left out: it says no more than the standardize after it.
    """
    steps: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        step = steps.setdefault(
            (row["stage"], row["source"]),
            {**{key: row[key] for key in ("stage", "source", "entered", "kept")}, "rules": []},
        )
        if row["rule"]:
            step["rules"].append((row["rule"], row["dropped"]))
    shown = [step for step in steps.values() if step["rules"] or _stage(step) != "fetch"]
    return sorted(shown, key=lambda step: (_place(_stage(step)), step["stage"]))


def _place(stage: str) -> int:
    return _STAGES.index(stage) if stage in _STAGES else len(_STAGES)


def _stage(step: dict[str, Any]) -> str:
    return str(step["stage"]).partition("@")[0]


def _mixes(rows: Rows, sources: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The rows of each mix, each with the paper's row of the same set where it has one."""
    mixes: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        source = sources.get(row["source"], {})
        beside = paper.row_of(row["source"], source.get("format", ""))
        mixes.setdefault(row["mix"], []).append({**row, "paper": beside})
    return mixes
