"""Scoring and pairing against the row-at-a-time way, against the engine's best and the floor.

Run: python -m benchmarks.loop --work FOLDER [--prompts 200000] [--model small] [--device cuda]
(scoring and pairing), or with --only scoring | pairing. Medians of --repeats; the ways take turns,
so that a busy spell hits them all. Rows: generated, with lengths spread as in real responses.

Scoring: 8 responses to each prompt under a Llama classifier of random weights, on short prompts and
long multi-turn ones. `pipeline 1` is transformers' text-classification pipeline, batch size 1;
`padded` length-sorted batches under a token budget; `cache` the prompt's KV cache reused for one
response after another; `ours` the engine that the score stage uses. "of best" is unique tokens per
second against that model's tokens per second on full batches of equal length.

Pairing: `select` picks best and worst with length statistics from ids, rewards and lengths;
`jsonl` does the same by a loop over JSON lines; `stage` is the pair command, start to files;
`floor` reads the columns and writes the rows that the stage reads and writes, in their order.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.ways import pairing_ways, scoring_ways

Way = Callable[[], object]


def medians(ways: dict[str, Way], repeats: int) -> dict[str, float]:
    """Median seconds of each way."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            found[name].append(time.perf_counter() - start)
    return {name: statistics.median(runs) for name, runs in found.items()}


def scoring(args: argparse.Namespace) -> None:
    """One line per shape and way."""
    print("| prompts | way | seconds | against pipeline | of best | computed / unique | error |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for shape in args.shapes:
        bench = scoring_ways.Bench(args.model, shape, args.groups, args.device, args.dtype)
        took = medians(bench.ways(), args.repeats)
        full = [name for name in took if name.startswith("full")]
        best = max(bench.computed[name] / took[name] for name in full)
        for name, seconds in took.items():
            tokens = bench.computed[name] if name in full else bench.unique
            print(
                f"| {shape} | {name} | {seconds:.2f} | {took['pipeline 1'] / seconds:.2f} | "
                f"{tokens / seconds / best:.2f} | "
                f"{bench.computed[name] / bench.unique:.2f} | {bench.error(name):.0e} |",
                flush=True,
            )


def pairing(args: argparse.Namespace) -> None:
    """One line per way."""
    folder = args.work / f"pairing{args.prompts}"
    pairing_ways.generate(args.prompts, 8, folder)
    took = medians(pairing_ways.inside(folder), args.repeats)
    print(f"\n| {args.prompts:,} prompts x 8 | seconds | CPU seconds | peak GiB | against |")
    print("|---|---|---|---|---|")
    print(f"| jsonl | {took['jsonl']:.2f} | | | |")
    print(f"| select | {took['select']:.2f} | | | {took['jsonl'] / took['select']:.1f} x jsonl |")
    runs = [pairing_ways.outside(folder) for _ in range(args.repeats)]
    base = statistics.median(run["floor"][0] for run in runs)
    for name in ("floor", "stage"):
        seconds = statistics.median(run[name][0] for run in runs)
        used = statistics.median(run[name][1] for run in runs)
        peak = max(run[name][2] for run in runs)
        against = f"{seconds / base:.2f} x floor"
        print(f"| {name} | {seconds:.2f} | {used:.2f} | {peak:.2f} | {against} |", flush=True)


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", choices=["scoring", "pairing"])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--prompts", type=int, default=200_000)
    parser.add_argument("--shapes", nargs="+", choices=["short", "long"], default=["short", "long"])
    parser.add_argument("--groups", type=int, default=8)
    parser.add_argument("--model", choices=list(scoring_ways.MODELS), default="small")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    args = parser.parse_args()
    if args.only != "pairing":
        scoring(args)
    if args.only != "scoring":
        pairing(args)


if __name__ == "__main__":
    main()
