"""The figures of a build of recipes/smollm2.yaml as Markdown: costs, judges, policies, responses.

Run: python -m benchmarks.smollm2 [--data data] [--timings .work/timings] [--examples 5]

Costs are those of the last run of every stage on this machine. A reward model's accuracy is on its
mix's held-out pairs, with a 95% Wilson interval. What changed is against the first policy on the
same held-out prompts: standard errors over prompts and clustered by kind, and at equal length.
Examples are the prompts with the lowest hashes, so nobody chose them.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb

from curation.audit import changed, sql
from curation.audit.connect import open_build, rows
from pipelines.commands import timings
from pipelines.core.stage import TIMINGS

Z = 1.959964  # 95%
_EXAMPLES = """
select
    a.prompt_id,
    last_text(p.messages) as prompt,
    a.response as before,
    b.response as after,
    x.reward as before_reward,
    y.reward as after_reward
from evaluation_generations as a
inner join evaluation_generations as b
    on a.prompt_id = b.prompt_id and a.sample = b.sample and b.evaluated = $policy
inner join prompts as p on a.prompt_id = p.prompt_id
left join evaluation_scores as x
    on a.generation_id = x.generation_id and x.evaluated = 'sft' and x.judge = 'oracle'
left join evaluation_scores as y
    on b.generation_id = y.generation_id and y.evaluated = $policy and y.judge = 'oracle'
where a.evaluated = 'sft'
order by md5(a.prompt_id), a.sample
limit $examples
"""
_WINS = """
with each as (
    select
        a.evaluated as policy,
        a.judge,
        a.prompt_id,
        avg((sign(a.reward - b.reward) + 1) / 2) as win
    from evaluations as a
    inner join evaluations as b
        on a.prompt_id = b.prompt_id and a.judge = b.judge and b.evaluated = 'sft'
    where a.evaluated != 'sft' and a.reward is not null and b.reward is not null
    group by a.evaluated, a.judge, a.prompt_id
)

select policy, judge, count(*) as prompts, avg(win) as wins,
    stddev_samp(win) / sqrt(count(*)) as se
from each
group by policy, judge
order by judge, policy
"""


def table(names: Sequence[str], body: Iterable[Sequence[object]]) -> str:
    """A Markdown table; floats to three digits, a dash for what is not known."""
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    return "\n".join([*lines, *(f"| {' | '.join(map(_cell, row))} |" for row in body)])


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value).replace("|", "\\|")


def costs(found: Sequence[dict[str, Any]]) -> str:
    """Every stage that used a model, and the sum of all."""
    busy = [one for one in found if one["tokens"]]
    body = [
        [
            one["stage"],
            round(one["seconds"]),
            round(one["cpu_seconds"]),
            one.get("peak_gib"),
            one["tokens"],
            round(one["tokens"] / max(one["cpu_seconds"], 1e-3), 1),
        ]
        for one in busy
    ]
    total = [sum(one[key] for one in found) for key in ("seconds", "cpu_seconds")]
    peak = max(one.get("peak_gib") or 0.0 for one in found)
    body.append([f"all {len(found)} stages", *map(round, total), peak, None, None])
    names = ("stage", "seconds", "CPU seconds", "peak GiB", "tokens", "tokens per CPU second")
    return table(names, body)


def wilson(share: float, n: int) -> tuple[float, float]:
    """The 95% interval of a share of n (Wilson 1927)."""
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    return middle - half, middle + half


def judges(folder: Path) -> str:
    """Held-out accuracy of each reward model, whole and by source."""
    body = []
    for file in sorted(folder.glob("*.json")):
        found = json.loads(file.read_text("utf-8"))
        parts = [("all", found["accuracy"], found["eval_pairs"])]
        by = found.get("accuracy_by_source", {})
        parts += [(name, share, found["pairs_by_source"][name]) for name, share in by.items()]
        for name, share, n in parts:
            low, high = wilson(share, n)
            above = (share - 0.5) / math.sqrt(0.25 / n)
            body.append([file.stem, name, n, share, f"{low:.3f} to {high:.3f}", round(above, 1)])
    names = ("reward model", "pairs of", "pairs", "accuracy", "95% interval", "se above .5")
    return table(names, body)


def policies(con: duckdb.DuckDBPyConnection) -> str:
    """Every policy under every judge, with its length."""
    found = rows(con, sql.named("policies").text)
    keys = ["policy", "prompts", "oracle_reward", "oracle_se", "model_reward", "model_se"]
    keys += ["chars", "truncated"]
    return table(keys, [[row[key] for key in keys] for row in found])


def wins(con: duckdb.DuckDBPyConnection) -> str:
    """Share of prompts on which a policy beats the first, by judge, ties half."""
    found = rows(con, _WINS)
    keys = ("policy", "judge", "prompts", "wins", "se")
    return table(keys, [[row[key] for key in keys] for row in found])


def changes(con: duckdb.DuckDBPyConnection) -> str:
    """What else changed by measure, and the pass rate by kind; the report has the parts by kind."""
    measures, kinds = changed.tables(con)
    keys = ["policy", "measure", "prompts", "kinds", "start", "value", "change", "se", "se_kinds"]
    keys += ["equal", "equal_se_kinds"]
    whole = table(keys, [[row[key] for key in keys] for row in measures])
    own = ("policy", "kind", "prompts", "start", "value", "change", "se")
    passed = [row for row in kinds if row["measure"] == "reward"]
    return whole + "\n\n" + table(own, [[row[key] for key in own] for row in passed])


def examples(con: duckdb.DuckDBPyConnection, policy: str, count: int) -> str:
    """Responses of the first policy and of this one to the same prompts, as they are."""
    parts = []
    for row in rows(con, _EXAMPLES, {"policy": policy, "examples": count}):
        parts.append(f"**{row['prompt']}**")
        for name, side in (("first", "before"), (policy, "after")):
            reward = row[f"{side}_reward"]
            parts.append(f"{name} (oracle {_cell(reward)}):\n\n{_quoted(row[side])}")
    return "\n\n".join(parts)


def _quoted(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines() or [""])


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--timings", type=Path, default=TIMINGS)
    parser.add_argument("--policy", default="iter2", help="whose responses are shown")
    parser.add_argument("--examples", type=int, default=5)
    args = parser.parse_args(argv)
    con = open_build(args.data)
    for title, text in (
        ("Costs", costs(timings.read(args.timings))),
        ("Reward models", judges(args.data / "checkpoints" / "reward_models")),
        ("Policies", policies(con)),
        ("Win rate against the first policy", wins(con)),
        ("What else changed", changes(con)),
        ("Before and after", examples(con, args.policy, args.examples)),
    ):
        print(f"## {title}\n\n{text}\n")


if __name__ == "__main__":
    main()
