"""Scoring and pairing against the row-at-a-time way, against the engine's best and the floor.

Run: python -m benchmarks.loop --work FOLDER [--prompts 200000] [--model small] [--device cuda]
(scoring and pairing), or with --only scoring | pairing | stage. Medians of --repeats; the ways
take turns, so that a busy spell hits them all. Rows: generated, with lengths spread as in real
responses.

Scoring: 8 responses to each prompt under a Llama classifier of random weights, on short prompts and
long multi-turn ones. `pipeline 1` is transformers' text-classification pipeline, batch size 1;
`padded` length-sorted batches under a token budget; `cache` the prompt's KV cache reused for one
response after another; `ours` the engine that the score stage uses. "of best" is unique tokens per
second against that model's tokens per second on full batches of rows as long as the items
(`full N`); "of far" against full batches of longer rows, whose tokens attend to as many others, on
average, as the unique tokens do (`far N`). On the CPU seconds are CPU seconds.

Pairing: `select` picks best and worst with length statistics from ids, rewards and lengths; two
loops over JSON lines do the same in plain Python: `loop, texts` over prompts with their texts, as
the reference scripts hold them, `loop, slim` over ids, rewards and lengths. `stage` is the pair
command, start to files; `floor` reads the columns and writes the rows that the stage reads and
writes, in their order. Seconds are of the wall clock and of the CPU. --only stage runs the stage
alone, for any number of --prompts, and writes no JSON lines.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.curation import Cost, measure
from benchmarks.ways import pairing_ways, scoring_ways

Way = Callable[[], object]


def medians(ways: Mapping[str, Way], repeats: int) -> dict[str, tuple[float, float]]:
    """Median seconds of each way: of the wall clock, and of this process on the CPU."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            start, used = time.perf_counter(), time.process_time()
            way()
            found[name].append((time.perf_counter() - start, time.process_time() - used))
    return {name: _middle(runs) for name, runs in found.items()}


def _middle(runs: Sequence[Sequence[float]]) -> tuple[float, float]:
    wall, used, *_ = zip(*runs, strict=True)
    return statistics.median(wall), statistics.median(used)


def scoring(args: argparse.Namespace) -> None:
    """One line per shape and way."""
    print("| prompts | way | seconds | x pipeline | of best | of far | computed / unique | error |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    clock = int(args.device == "cpu")
    for shape in args.shapes:
        bench = scoring_ways.Bench(args.model, shape, args.groups, args.device, args.dtype)
        took = {name: one[clock] for name, one in medians(bench.ways(), args.repeats).items()}
        ideal = {name for name in took if name.startswith(("full", "far"))}
        rates = {
            name: (bench.computed[name] if name in ideal else bench.unique) / seconds
            for name, seconds in took.items()
        }
        best, far = (max(rates[x] for x in ideal if x.startswith(of)) for of in ("full", "far"))
        for name, seconds in took.items():
            print(
                f"| {shape} | {name} | {seconds:.2f} | {took['pipeline 1'] / seconds:.2f} | "
                f"{rates[name] / best:.2f} | {rates[name] / far:.2f} | "
                f"{bench.computed[name] / bench.unique:.2f} | {bench.error(name):.0e} |",
                flush=True,
            )


def pairing(args: argparse.Namespace) -> None:
    """One line per way."""
    for prompts in args.prompts:
        folder = args.work / f"pairing{prompts}-{args.chars}"
        alone = args.only == "stage"
        pairing_ways.generate(pairing_ways.Shape(prompts, 8, args.chars), folder, lines=not alone)
        print(f"\n| {prompts:,} prompts x 8 | seconds | CPU seconds | peak GiB | against |")
        print("|---|---|---|---|---|", flush=True)
        if not alone:
            selection(folder, args.repeats)
        stages(folder, args.repeats, ["stage"] if alone else ["stage", "floor"])


def selection(folder: Path, repeats: int) -> None:
    """The selection against both loops."""
    took = medians(pairing_ways.inside(folder), repeats)
    wall, used = took["select"]
    for name, (seconds, cpu) in took.items():
        against = f"{seconds / wall:.1f} (CPU {cpu / used:.1f}) x select"
        print(f"| {name} | {seconds:.2f} | {cpu:.2f} | | {against} |", flush=True)


def stages(folder: Path, repeats: int, names: Sequence[str]) -> None:
    """The stage against its floor; in turns."""
    ways = {"stage": pairing_ways.stage, "floor": pairing_ways.floor}
    runs: dict[str, list[Cost]] = {name: [] for name in names}
    for _ in range(repeats):
        for name in names:
            runs[name].append(measure(ways[name](folder)))
    base = _middle(runs[names[-1]])
    for name in names:
        seconds, cpu = _middle(runs[name])
        peak = max(run.peak for run in runs[name])
        against = f"{seconds / base[0]:.2f} (CPU {cpu / base[1]:.2f}) x {names[-1]}"
        print(f"| {name} | {seconds:.2f} | {cpu:.2f} | {peak:.2f} | {against} |", flush=True)


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", choices=["scoring", "pairing", "stage"])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--prompts", type=int, nargs="+", default=[200_000])
    parser.add_argument("--chars", type=int, default=400, help="of a response, about, on average")
    parser.add_argument("--shapes", nargs="+", choices=["short", "long"], default=["short", "long"])
    parser.add_argument("--groups", type=int, default=8)
    parser.add_argument("--model", choices=list(scoring_ways.MODELS), default="small")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    args = parser.parse_args()
    if args.only in (None, "scoring"):
        scoring(args)
    if args.only != "scoring":
        pairing(args)


if __name__ == "__main__":
    main()
