"""The results as Markdown: results/claims.md, its figures, the table of docs/results/."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from benchmarks.claims_bench import ablations, figures, markdown
from benchmarks.claims_bench.claims import CLAIMS, Claim, policy
from benchmarks.claims_bench.experiments import Result
from benchmarks.claims_bench.verdicts import Measured, Verdict, corrected, measure, together
from curation.core.errors import UserError

OPEN, CLOSE = "<!-- claims -->", "<!-- /claims -->"
FAULTS = Path(__file__).parent / "faults.yaml"  # what is at fault where a claim does not hold
RULE = (
    "The rule, stated beforehand (`benchmarks/claims_bench/verdicts.py`): with the 95% t interval "
    "of the mean effect over seeds, a part holds if the whole interval lies above the bound (0, or "
    "-0.05 of oracle reward where a claim says 'no worse'), does not hold if it lies below, and is "
    "undecided otherwise; a claim holds if all its parts do, and does not if one does not. Beside "
    "it each part's p value, and the verdict with all parts of all claims as one family (Holm)."
)
COLUMNS = {  # of the policies' table: figure and decimal places
    "oracle": 3,
    "chars": 1,
    "kl": 3,
    "win_rate": 1,
    "length_controlled": 1,
    "pairs": 0,
    "steps": 0,
    "label_right": 3,
    "label_gap": 3,
    "chosen_longer_by": 1,
}


@dataclass(frozen=True)
class Finding:
    """A claim, the seeds that tell of it, and what they say."""

    claim: Claim
    results: list[Result]
    measured: list[Measured]

    @property
    def verdict(self) -> Verdict:
        """The claim's verdict."""
        return together([one.verdict for one in self.measured])

    @property
    def corrected(self) -> Verdict:
        """The claim's verdict with every part's p value corrected."""
        return together([one.corrected_verdict for one in self.measured])

    @property
    def seeds(self) -> list[int]:
        """Which seeds have the figures."""
        return [int(result["seed"]) for result in self.results]


def findings(results: Sequence[Result], names: Sequence[str]) -> list[Finding]:
    """What the results say of each claim whose figures at least one of them has."""
    found = []
    for claim in CLAIMS:
        own = [one for one in results if claim.stages <= set(one["figures"])]
        if claim.name in names and own:
            measured = [
                measure([part.effect(one["figures"]) for one in own], part.over)
                for part in claim.parts
            ]
            found.append(Finding(claim, own, measured))
    family = iter(corrected([part for one in found for part in one.measured]))
    return [replace(one, measured=[next(family) for _ in one.measured]) for one in found]


def write(root: Path, found: Sequence[Finding], results: Sequence[Result], command: str) -> Path:
    """Write the page and its figures under a folder; returns the page."""
    page = root / "benchmarks/results/claims.md"
    page.parent.mkdir(parents=True, exist_ok=True)
    for one in found:
        figures.draw(one.claim, one.measured, one.seeds, _figure(root, one))
    faults = yaml.safe_load(FAULTS.read_text("utf-8")) or {}
    parts = [_opening(results, command), *(_section(one, faults) for one in found)]
    parts += [*_ablations(results), _policies(results), _traces(results)]
    page.write_text("\n\n".join(parts) + "\n", "utf-8")
    return page


def block(found: Sequence[Finding]) -> str:
    """The table of all claims."""
    rows = []
    for one in found:
        whose = "ours: " if one.claim.ours else ""
        effects = "; ".join(
            f"{part.says}: {number(told)}"
            for part, told in zip(one.claim.parts, one.measured, strict=True)
        )
        rows.append(
            [
                f"{whose}{one.claim.says}",
                effects,
                f"{len(one.seeds)}",
                f"**{one.verdict}**",
                one.corrected,
            ]
        )
    head = ("claim", "effect ± standard error", "seeds", "verdict", "by Holm")
    return markdown.table(head, rows)


def into_page(path: Path, text: str) -> None:
    """Put the block between a page's markers.

    Raises:
        UserError: the markers are not there.
    """
    whole = path.read_text("utf-8")
    if OPEN not in whole or CLOSE not in whole:
        raise UserError(f"{path}: has no {OPEN} and {CLOSE}; put them where the table is to stand")
    before, rest = whole.split(OPEN, 1)
    path.write_text(f"{before}{OPEN}\n{text}\n{CLOSE}{rest.split(CLOSE, 1)[1]}", "utf-8")


def number(one: Measured) -> str:
    """Mean and standard error."""
    if math.isnan(one.mean):
        return "no seed can tell"
    return f"{one.mean:+.3f}" + ("" if math.isnan(one.se) else f" ± {one.se:.3f}")


def _figure(root: Path, one: Finding) -> Path:
    return root / f"benchmarks/results/claims/{one.claim.name}.svg"


def _opening(results: Sequence[Result], command: str) -> str:
    seeds = ", ".join(str(one["seed"]) for one in results)
    minutes = sum(one["seconds"] for one in results) / 60
    code = ", ".join(sorted({one["code"][:12] for one in results}))
    return (
        f"# The paper's claims on the sample world\n\n`{command}`: seeds {seeds}; {minutes:.0f} "
        f"minutes of seeds in all, one thread each, on a machine shared with other work; code at "
        f"{code}.\nA seed moves every seed of the recipe and the world's own.\n\n{RULE}"
    )


def _section(one: Finding, faults: dict[str, str]) -> str:
    claim = one.claim
    head = ["effect", *(f"seed {seed}" for seed in one.seeds)]
    head += ["mean", "standard error", "95% interval", "bound", "verdict"]
    head += ["p", "p by Holm", "verdict by Holm"]
    rows = []
    for part, told in zip(claim.parts, one.measured, strict=True):
        each = ["none" if x is None else f"{x:+.3f}" for x in told.effects]
        mean = "" if math.isnan(told.mean) else f"{told.mean:+.3f}"
        error = "" if math.isnan(told.se) else f"{told.se:.3f}"
        span = "" if math.isinf(told.low) else f"{told.low:+.3f} to {told.high:+.3f}"
        row = [part.says, *each, mean, error, span, f"{part.over:g}", told.verdict]
        chances = ["" if math.isnan(p) else f"{p:.4f}" for p in (told.p, told.corrected)]
        rows.append([*row, *chances, told.corrected_verdict])
    parts = [
        f"## {claim.name}: {one.verdict}",
        f"{'Ours. ' if claim.ours else ''}{claim.says}",
        f"![{claim.name}](claims/{claim.name}.svg)",
        markdown.table(head, rows),
    ]
    if one.verdict != "holds" and claim.name in faults:
        parts.append(f"Why: {faults[claim.name].strip()}")
    return "\n\n".join(parts)


def _ablations(results: Sequence[Result]) -> list[str]:
    """The paper's two ablations, from the seeds that have them."""
    own = [one for one in results if set(one["figures"]) >= ablations.STAGES]
    if not own:
        return []
    tables = [ablations.table(name, own) for name in ablations.ROWS]
    says = "Win rates are against pi0, by the oracle; the paper's columns stand beside ours."
    return ["\n\n".join(["## Ablations", says, *tables])]


def _policies(results: Sequence[Result]) -> str:
    """Every policy and judge behind the claims, means over seeds."""
    head = (
        "policy", "oracle reward", "characters", "KL", "win rate", "at equal length", "pairs",
        "steps", "labels right", "oracle gap", "chosen longer by",
    )  # fmt: skip
    says = (
        "Each is trained by one call of DPO on `pairs` pairs in `steps` steps; iter2, iter3 and "
        "mix1_again go on from the policy before them, so iter3 has taken the steps of all three. "
        "The last three columns are of the pairs it was trained on: the share whose chosen "
        "response the oracle puts above the rejected one, the mean difference of their oracle "
        "rewards, and of their lengths in characters."
    )
    names: dict[str, None] = {"sft": None}
    for group in ("pairing", "loop", "length"):
        names |= {name: None for one in results for name in one["figures"].get(group, {})}
    rows = [
        [name, *(_mean(_values(results, name, key), places) for key, places in COLUMNS.items())]
        for name in names
    ]
    parts = ["## The policies, means over seeds", says, markdown.table(head, rows)]
    return "\n\n".join([*parts, _judges(results)])


def _mean(values: Sequence[float], places: int) -> str:
    return f"{sum(values) / len(values):.{places}f}" if values else ""


def _values(results: Sequence[Result], name: str, key: str) -> list[float]:
    found = []
    for one in results:
        try:
            told: dict[str, Any] = policy(one["figures"], name)
        except KeyError:
            continue
        if key in told:
            found.append(float(told[key]))
    return found


def _judges(results: Sequence[Result]) -> str:
    judges = [one["figures"]["models"]["judges"] for one in results]
    head = {
        "accuracy": "accuracy on its mix's held-out pairs",
        "pearson": "mean within-prompt Pearson with length",
        "oracle_pearson": "with the oracle",
        "best_of_n": "oracle reward of its best of n",
    }
    rows = []
    for name in judges[0]:
        told = [one[name] for one in judges]
        values = [[float(one[key]) for one in told if one.get(key) is not None] for key in head]
        rows.append([name, *(_mean(found, 3) for found in values)])
    return markdown.table(["judge", *head.values()], rows)


def _traces(results: Sequence[Result]) -> str:
    """Which experiment each seed's numbers come from."""
    says = (
        "Each seed is one `dvc exp run` of `recipes/claims/graph.yaml` in a clone of the checkout "
        "(kept under `.work/claims`, where `dvc exp show` and `dvc exp apply` take its name)."
    )
    head = ("seed", "experiment", "commit of the experiment", "code", "seconds")
    rows = []
    for one in results:
        named = {told["name"]: told["commit"] for told in one["experiments"].values()}
        seed, code, seconds = str(one["seed"]), one["code"][:12], f"{one['seconds']:.0f}"
        rows += [[seed, name, commit[:12], code, seconds] for name, commit in named.items()]
    changes = results[0]["changes"]
    shown = "\n".join(f"-S {line}" for line in changes)
    parts = ["## Where each number comes from", says, markdown.table(head, rows)]
    parts += [f"Parameters of seed {results[0]['seed']} (others: 1000 more per seed):"]
    return "\n\n".join([*parts, f"```\n{shown}\n```"])
