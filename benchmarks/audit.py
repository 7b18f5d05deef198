"""The audit on a build of a million sampled pairs: SQL, the report, why, the review queue, the app.

Run: python -m benchmarks.audit --work FOLDER [--pairs 1000000] [--repeats 3]

Every command is a process of its own, start included; medians of the wall clock and of CPU seconds,
peak memory of the largest process. Pages of the app are timed from the request to the last byte,
first visit and median of later ones. The build (benchmarks/ways/audit_build.py) is made once.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import polars as pl

from benchmarks.curation import measure
from benchmarks.ways import audit_build
from curation.audit import sql

GROUPED = {
    "pairs by iteration": "select iteration, count(*), avg(margin), avg(chosen_chars), "
    "median(rejected_chars) from pairs group by all order by all",
    "margin quantiles by iteration": "select iteration, quantile_cont(margin, [.1, .5, .9]) "
    "from pairs group by all order by all",
    "rewards by iteration and judge": "select iteration, judge, count(*), avg(reward), "
    "stddev(reward) from scores group by all order by all",
    "drops by source and rule": "select source, rule, count(*) from rejects "
    "group by all order by all",
    "preferences by source": "select source, count(*), avg(margin), avg(chosen_chars - "
    "rejected_chars) from preferences group by all order by all",
}
PAGES = {
    "overview": "/",
    "ask, grouped": "/ask?" + urlencode({"q": GROUPED["pairs by iteration"]}),
    "pairs": "/pairs",
    "pairs, longest gap first": "/pairs?" + urlencode({"order": "gap"}),
    "what-if": "/what-if?iteration=iter1&length_penalty=0.01",
    "review": "/review?reviewer=ann",
}


def prefloop(data: Path, *args: str) -> list[str]:
    """A command of the command line on the build."""
    return [sys.executable, "-m", "pipelines.cli", args[0], "--data", str(data), *args[1:]]


def commands(data: Path) -> dict[str, list[str]]:
    """What is timed as a process, by name."""
    found = {f"sql: {name}": prefloop(data, "sql", text) for name, text in GROUPED.items()}
    found |= {f"why: {kind} id": prefloop(data, "why", one) for kind, one in ids(data).items()}
    found["review queue"] = prefloop(data, "review", "queue")
    report = ["--data", str(data), "--out", str(data / "report")]
    params = ["--params", str(data.parent / "params.yaml")]
    found["report"] = [sys.executable, "-m", "pipelines.stages.report", *report, *params]
    return found


def ids(data: Path) -> dict[str, str]:
    """One id of each kind, from the middle of its table."""
    places = {
        "sampled pair": ("iterations/iter2/pairs.parquet", "pair_id"),
        "labelled pair": ("mixes/mix1/mix.parquet", "pair_id"),
        "prompt": ("prompts/prompts.parquet", "prompt_id"),
        "response": ("iterations/iter2/generations.parquet", "generation_id"),
        "native row": ("sources/preference/set2/table.parquet", "source_row"),
    }
    found = {}
    for kind, (file, column) in places.items():
        values = pl.scan_parquet(data / file).select(column).collect()[column]
        found[kind] = str(values[values.len() // 2])
    return found


def line(name: str, *cells: str) -> None:
    """One row of a table."""
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def processes(data: Path, repeats: int) -> None:
    """One line per command."""
    print("| command | seconds | CPU seconds | peak GiB |\n|---|---|---|---|")
    for name, command in commands(data).items():
        runs = [measure(iter([command])) for _ in range(repeats)]
        wall, cpu = (
            statistics.median(getattr(run, key) for run in runs) for key in ("wall", "cpu")
        )
        line(name, f"{wall:.2f}", f"{cpu:.2f}", f"{max(run.peak for run in runs):.2f}")
    pages = sorted((data / "report").rglob("*.html"))
    size = max(page.stat().st_size for page in pages) / 2**20
    print(f"\nThe largest of the {len(pages)} pages of the report: {size:.2f} MiB.")


def queries(data: Path) -> None:
    """The shipped queries, a process each: their median and the slowest three."""
    took = {
        query.name: measure(iter([prefloop(data, "sql", "-n", query.name)]))
        for query in sql.shipped()
    }
    slowest = sorted(took, key=lambda name: -took[name].wall)[:5]
    middle = statistics.median(cost.wall for cost in took.values())
    under = sum(cost.wall < 2 for cost in took.values())
    print(f"\nThe {len(took)} shipped queries: median {middle:.2f} s, {under} under 2 s.\n")
    print("| slowest | seconds | CPU seconds | peak GiB |\n|---|---|---|---|")
    for name in slowest:
        line(name, *(f"{value:.2f}" for value in took[name]))


def app(data: Path, repeats: int) -> None:
    """One line per page of the local web app."""
    params = str(data.parent / "params.yaml")
    command = prefloop(data, "ui", "--params", params, "--port", "0")
    print("\n| page of the app | first | later |\n|---|---|---|")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split()[1].rstrip("/")
            for name, path in PAGES.items():
                first, *later = [visit(address + path) for _ in range(1 + repeats)]
                line(name, f"{first:.2f}", f"{statistics.median(later):.2f}")
        finally:
            server.terminate()


def visit(address: str) -> float:
    """Seconds from the request to the last byte."""
    start = time.perf_counter()
    with urlopen(address) as page:
        page.read()
    return time.perf_counter() - start


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    data = audit_build.make(args.pairs, args.work)
    processes(data, args.repeats)
    queries(data)
    app(data, args.repeats)


if __name__ == "__main__":
    main()
