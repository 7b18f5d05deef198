"""Curation against the row-at-a-time way and against the floor, on the same generated rows.

Run: python -m benchmarks.curation --rows 10000 100000 700000 --repeats 3 --work FOLDER

Ways: `ours` is the standardize and mix stages, process start to tables, rejects and ledger; `floor`
is two processes that read the same files and write the same tables and rejects with the same codec
and do nothing else (the rows they write have to be read too, which adds to the floor; `reread` is
that addition); `rows 1` and `rows 2` are a `datasets` filter and map with the same structural rules
on 1 and 2 processes. Every way runs in processes of its own, in turns. Seconds are of the wall
clock and of the CPU (user and system, children too), medians; peak memory is that of the largest
process.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import yaml

from benchmarks import made
from curation.core.ordered import Spill
from curation.reading import native
from curation.rules.control_tokens import CONTROL_TOKENS
from curation.sources.formats import FORMATS
from pipelines.core.outputs import Outputs

NAME = "bench"


def generate(rows: int, folder: Path, seed: int | None = None) -> None:
    """Native rows as the fetch stage would write them, in constant memory."""
    layout = FORMATS["rlhflow"].layouts[0]
    unsaid = {name: one for name, one in layout.columns.items() if name not in layout.required}
    none = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in unsaid.items()]
    spill = Spill(folder / "spill", "source_row")
    for frame in made.comparisons(rows, rows if seed is None else seed):
        spill.add(native.with_row_ids(frame.lazy().with_columns(none)).collect())
    outputs = Outputs()
    outputs.parts(folder / "native.parquet", layout.table(NAME, {}), spill.parts())
    outputs.commit()
    shutil.rmtree(folder / "spill")


def parameters(folder: Path) -> Path:
    """The shipped parameters with one source and a mix of it, dedup off."""
    whole = yaml.safe_load(Path("params.yaml").read_text("utf-8"))
    source = {"kind": "preference", "format": "rlhflow", "path": "none", "filters": ["structural"]}
    kinds = {name: one for name, one in whole["sources"].items() if one["kind"] != "benchmark"}
    bench = {"kind": "benchmark", "format": "text_column", "path": "none"}
    whole["sources"] = {**kinds, NAME: source, "nothing": bench}
    mix = {"members": {NAME: {}}, "dedup": "none", "conflicts": "keep"}
    whole["mixes"] = dict.fromkeys(whole["mixes"], mix)
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(whole, sort_keys=False), "utf-8")
    return path


def ours(folder: Path) -> Iterator[list[str]]:
    """The two stages' commands."""
    out = folder / "preference" / NAME
    params = ["--params", str(parameters(folder))]
    table = ["--table", str(out / "table.parquet"), "--rejects", str(out / "rejects.parquet")]
    run = [sys.executable, "-m", "pipelines.stages.standardize", "--source", NAME]
    native_rows = ["--native", str(folder / "native.parquet")]
    yield [*run, *native_rows, *table, "--metrics", str(out / "metrics.json"), *params]
    pool = folder / "prompts.parquet"
    empty("benchmark", folder / "benchmark/nothing/table.parquet")
    empty("prompts", pool)
    run = [sys.executable, "-m", "pipelines.stages.mix", "--mix", "mix1"]
    read = ["--sources", str(folder / "preference"), "--benchmarks", str(folder / "benchmark")]
    read += ["--prompts", str(pool)]
    made = ["--table", str(folder / "mix.parquet"), "--rejects", str(folder / "gone.parquet")]
    yield [*run, *read, *made, "--metrics", str(folder / "mix.json"), *params]


def empty(table: str, path: Path) -> None:
    """A table without rows."""
    from curation.core import schema

    path.parent.mkdir(parents=True, exist_ok=True)
    schema.TABLES[table].empty().write_parquet(path)


def floor(folder: Path) -> Iterator[list[str]]:
    """Read what the stages read, write what they wrote."""
    out = folder / "preference" / NAME
    native_rows, table, rejects = (
        folder / "native.parquet",
        out / "table.parquet",
        out / "rejects.parquet",
    )
    yield [sys.executable, "-c", READ + WRITE, str(native_rows), str(table), str(rejects)]
    last = [str(folder / "mix.parquet"), str(folder / "gone.parquet")]
    yield [sys.executable, "-c", WRITE, "", *last]


def reread(folder: Path) -> Iterator[list[str]]:
    """What the floor's first process reads beyond the native rows."""
    yield [sys.executable, "-c", READ, str(folder / "preference" / NAME / "table.parquet")]


READ = """
import sys, pipelines, polars as pl
rows = pl.scan_parquet(sys.argv[1]).select(pl.len()).collect().item()
for start in range(0, rows, 32768):
    pl.scan_parquet(sys.argv[1]).slice(start, 32768).collect()
"""
WRITE = """
import sys, pipelines, polars as pl
from pipelines.core.outputs import ROW_GROUP
from pipelines.core.row_groups import COMPRESSION_LEVEL
for path in sys.argv[2:]:
    pl.scan_parquet(path).sink_parquet(
        path + ".floor", compression="zstd", compression_level=COMPRESSION_LEVEL,
        row_group_size=ROW_GROUP,
    )
"""


def row_at_a_time(processes: int) -> Callable[[Path], Iterator[list[str]]]:
    """The commands of the `datasets` way."""

    def commands(folder: Path) -> Iterator[list[str]]:
        yield [
            sys.executable,
            "-m",
            "benchmarks.curation",
            "--datasets",
            str(processes),
            "--work",
            str(folder),
        ]

    return commands


def sound(item: dict[str, Any]) -> bool:
    """The structural rules, one row at a time."""
    chosen, rejected = item["chosen"], item["rejected"]
    if len(chosen) != len(rejected) or len(chosen) % 2 or chosen[:-1] != rejected[:-1]:
        return False
    texts = [message["content"] for message in (*chosen, rejected[-1])]
    roles = [message["role"] for message in chosen]
    if roles != ["user", "assistant"] * (len(chosen) // 2) or not all(t.strip() for t in texts):
        return False
    if any("\x00" in t or any(token in t for token in CONTROL_TOKENS) for t in texts):
        return False
    return bool(texts[-1].strip() != texts[-2].strip())


def pair_form(item: dict[str, Any]) -> dict[str, Any]:
    """The stored form: the prompt apart from both responses."""
    return {
        "prompt": item["chosen"][:-1],
        "chosen": item["chosen"][-1:],
        "rejected": item["rejected"][-1:],
    }


def datasets_way(folder: Path, processes: int) -> None:
    """Filter, map and write with the `datasets` library."""
    from datasets import load_dataset

    workers = None if processes == 1 else processes
    cache = str(folder / f"cache{time.time_ns()}")
    file = str(folder / "native.parquet")
    whole = load_dataset("parquet", data_files=file, split="train", cache_dir=cache)
    kept = whole.filter(sound, num_proc=workers).map(
        pair_form, num_proc=workers, remove_columns=["chosen_score", "rejected_score"]
    )
    kept.to_parquet(str(folder / "rows.parquet"))
    shutil.rmtree(cache)


WAYS: dict[str, Callable[[Path], Iterator[list[str]]]] = {
    "ours": ours,
    "floor": floor,
    "reread": reread,
    "rows 1": row_at_a_time(1),
    "rows 2": row_at_a_time(2),
}


class Cost(NamedTuple):
    """Of one way, once: seconds of the wall clock, of the CPU, and peak memory in GiB."""

    wall: float
    cpu: float
    peak: float


def measure(commands: Iterator[list[str]]) -> Cost:
    """The cost of the commands, run one after another by a process of their own."""
    code = (
        "import json, resource, subprocess, sys, time\nstart = time.monotonic()\n"
        "for one in json.load(sys.stdin): subprocess.run(one, check=True, stdout=2)\n"
        "wall, used = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(json.dumps([wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(list(commands)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Cost(*json.loads(done.stdout))


def compare(rows: int, work: Path, ways: list[str], repeats: int) -> None:
    """Print one line per way: medians of seconds, peak memory, ratios to the first way."""
    folder = work / str(rows)
    folder.mkdir(parents=True, exist_ok=True)
    generate(rows, folder)
    found: dict[str, list[Cost]] = {way: [] for way in ways}
    for _ in range(repeats):  # the ways take turns, so that a busy spell hits them all
        for way in ways:
            found[way].append(measure(WAYS[way](folder)))
            print(f"{rows} {way} {found[way][-1]}", file=sys.stderr, flush=True)
    first = _middle(found[ways[0]])
    for way, runs in found.items():
        cost = _middle(runs)
        ratios = f"{cost.wall / first.wall:.2f} | {cost.cpu / first.cpu:.2f}"
        print(
            f"| {rows:,} | {way} | {cost.wall:.2f} | {cost.cpu:.2f} | {cost.peak:.2f} | {ratios} |",
            flush=True,
        )
    shutil.rmtree(folder)


def _middle(runs: list[Cost]) -> Cost:
    wall, cpu, peak = zip(*runs, strict=True)
    return Cost(statistics.median(wall), statistics.median(cpu), max(peak))


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--datasets", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.datasets:
        datasets_way(args.work, args.datasets)
        return
    print("| pairs | way | seconds | CPU seconds | peak GiB | / ours | CPU / ours |")
    print("|---|---|---|---|---|---|---|")
    for rows in args.rows:
        compare(rows, args.work, args.ways, args.repeats)


if __name__ == "__main__":
    main()
