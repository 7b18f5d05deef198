"""Curation against the row-at-a-time way and against the floor, on the same generated rows.

Run: python -m benchmarks.curation --rows 10000 100000 700000 --repeats 3 --work FOLDER

Ways: `ours` is the standardize and mix stages, process start to tables, rejects and ledger; `floor`
reads the same files and writes the same tables with the same codec and does nothing else; `rows 1`
and `rows 2` are a `datasets` filter and map with the same structural rules on 1 and 2 processes.
Every way runs in a process of its own; peak memory is that of its process tree's largest member.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from curation import native
from curation.sources.formats import FORMATS
from pipelines.io import Outputs

WORDS = [f"{a}{b}" for a in ("ka", "lo", "mi", "ru", "te", "so") for b in ("n", "ra", "st", "li")]
NAME = "bench"
CONTROL = "<|user|>"


def text(rng: random.Random, mean: int) -> str:
    """Words of about `mean` characters in all, lengths spread as in real responses."""
    return " ".join(rng.choices(WORDS, k=max(3, int(rng.expovariate(5 / mean)))))


def row(rng: random.Random) -> dict[str, Any]:
    """A comparison of 1 to 5 turns of context; one in ten breaks a structural rule."""
    turns = rng.choice((1, 1, 3, 3, 5))
    context = [
        {"role": ("user", "assistant")[place % 2], "content": text(rng, 250)}
        for place in range(turns)
    ]
    chosen, rejected = ({"role": "assistant", "content": text(rng, 500)} for _ in range(2))
    fault, other = rng.random(), context
    if fault < 0.025:
        rejected = dict(chosen)
    elif fault < 0.05:
        rejected = {**rejected, "content": " "}
    elif fault < 0.075:
        other = [*context[:-1], {"role": "user", "content": text(rng, 250)}]
    elif fault < 0.1:
        chosen = {**chosen, "content": f"{chosen['content']} {CONTROL}"}
    return {"chosen": [*context, chosen], "rejected": [*other, rejected]}


def generate(rows: int, folder: Path) -> Path:
    """Native rows as the fetch stage would write them."""
    layout = FORMATS["rlhflow"].layouts[0]
    rng, ledger = random.Random(rows), native.Ledger()
    values = (row(rng) for _ in range(rows))
    frames = list(native.typed_frames(values, layout, {}, ledger, parse=False))
    outputs, path = Outputs(), folder / "native.parquet"
    outputs.table(path, layout.table(NAME, {}), native.with_row_ids(pl.concat(frames).lazy()))
    outputs.commit()
    return path


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
    run = [sys.executable, "-m", "pipelines.standardize", "--source", NAME]
    native_rows = ["--native", str(folder / "native.parquet")]
    yield [*run, *native_rows, *table, "--metrics", str(out / "metrics.json"), *params]
    empty(folder / "benchmark" / "nothing" / "table.parquet")
    run = [sys.executable, "-m", "pipelines.mix", "--mix", "mix1"]
    read = ["--sources", str(folder / "preference"), "--benchmarks", str(folder / "benchmark")]
    made = ["--table", str(folder / "mix.parquet"), "--rejects", str(folder / "gone.parquet")]
    yield [*run, *read, *made, "--metrics", str(folder / "mix.json"), *params]


def empty(path: Path) -> None:
    """A benchmark table without items."""
    from curation import schema

    path.parent.mkdir(parents=True, exist_ok=True)
    schema.BENCHMARK.empty().write_parquet(path)


def floor(folder: Path) -> Iterator[list[str]]:
    """Read what the stages read, write what they wrote."""
    table = folder / "preference" / NAME / "table.parquet"
    for source, target in ((folder / "native.parquet", table), (table, folder / "mix.parquet")):
        code = (
            "import polars as pl; from pipelines.io import COMPRESSION_LEVEL, ROW_GROUP; "
            f"pl.scan_parquet({str(source)!r}).select(pl.len(), pl.all().len()).collect(); "
            f"pl.scan_parquet({str(target)!r}).sink_parquet({str(folder / 'floor.parquet')!r}, "
            "compression='zstd', compression_level=COMPRESSION_LEVEL, row_group_size=ROW_GROUP)"
        )
        yield [sys.executable, "-c", code]


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
    if any("\x00" in t or CONTROL in t for t in texts):
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


WAYS: dict[str, Callable[[Path], Iterator[list[str]]]] = {
    "ours": ours,
    "floor": floor,
    "rows 1": row_at_a_time(1),
    "rows 2": row_at_a_time(2),
}


def measure(commands: Iterator[list[str]]) -> tuple[float, float]:
    """(seconds, peak GiB) of the commands, run one after another by a process of their own."""
    code = (
        "import json, resource, subprocess, sys, time\nstart = time.monotonic()\n"
        "for one in json.load(sys.stdin): subprocess.run(one, check=True, stdout=2)\n"
        "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20\n"
        "print(json.dumps([time.monotonic() - start, peak]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(list(commands)),
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, peak = json.loads(done.stdout)
    return seconds, peak


def compare(rows: int, work: Path, ways: list[str], repeats: int) -> None:
    """Print one line per way: median seconds, peak memory, ratio to ours."""
    folder = work / str(rows)
    folder.mkdir(parents=True, exist_ok=True)
    generate(rows, folder)
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for _ in range(repeats):  # the ways take turns, so that a busy spell hits them all
        for way in ways:
            found[way].append(measure(WAYS[way](folder)))
    base = statistics.median(seconds for seconds, _ in found[ways[0]])
    for way, runs in found.items():
        seconds = statistics.median(one for one, _ in runs)
        peak = max(gib for _, gib in runs)
        print(
            f"| {rows:,} | {way} | {seconds:.2f} | {peak:.2f} | {seconds / base:.2f} |", flush=True
        )


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
    print("| pairs | way | seconds | peak GiB | against ours |\n|---|---|---|---|---|")
    for rows in args.rows:
        compare(rows, args.work, args.ways, args.repeats)


if __name__ == "__main__":
    main()
