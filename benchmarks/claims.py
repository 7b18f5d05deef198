"""The paper's claims, and comparisons of our own, as experiments on the sample world.

Run: python -m benchmarks.claims [--seeds 5] [--only CLAIM ...] [--jobs 2]

Every seed is one `dvc exp run` in a clone under .work/claims; finished seeds are kept there and not
run again, so a run that was stopped goes on. Writes benchmarks/results/claims.md, a figure per
claim and the table of docs/results/measured.md. --short is the form for CI: models that learn next
to nothing; it prints and writes no results, and neither does --only. --ablation length_penalty |
reward_model runs those arms alone and prints a table in the paper's form. --commit REV measures
another revision; --report writes what is finished and runs nothing.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.claims_bench import ablations, experiments, report
from benchmarks.claims_bench.claims import BY_NAME
from curation.core.errors import UserError


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5, metavar="N")
    parser.add_argument("--only", nargs="+", choices=list(BY_NAME), metavar="CLAIM")
    parser.add_argument("--ablation", choices=list(ablations.ROWS))
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--jobs", type=int, default=2, help="seeds at a time, one thread each")
    parser.add_argument("--commit", default="HEAD", metavar="REV")
    parser.add_argument("--report", action="store_true", help="write the results, run nothing")
    args = parser.parse_args(argv)
    if args.seeds < 1 or args.jobs < 1:
        parser.error("--seeds and --jobs must be at least 1")
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is missing, then write or print; the exit code."""
    args = parse(argv)
    root = Path.cwd()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        bench = experiments.Bench(
            root, experiments.revision(root, args.commit), args.short, min(args.jobs, args.seeds)
        )
        return _told(args, bench)
    except UserError as error:
        print(f"claims: {error}", file=sys.stderr)
        return 2


def _told(args: argparse.Namespace, bench: experiments.Bench) -> int:
    names = args.only or list(BY_NAME)
    stages = set().union(*(BY_NAME[name].stages for name in names))
    seeds = range(1, args.seeds + 1)
    if args.ablation:
        stages = set(ablations.STAGES)
    if args.report:
        results = [told for seed in seeds if (told := experiments.load(bench, seed))]
    else:
        results = experiments.run(bench, seeds, stages)
    if not results:
        raise UserError(f"no finished seed in {bench.work}; run without --report")
    if args.ablation:
        print(ablations.table(args.ablation, results))
        return 0
    found = report.findings(results, names)
    print(report.block(found))
    if not (args.short or args.only):
        _write(bench.checkout, found, results)
    return 0


def _write(root: Path, found: list[report.Finding], results: list[experiments.Result]) -> None:
    command = f"python -m benchmarks.claims --seeds {len(results)}"
    page = report.write(root, found, results, command)
    table = root / "docs/results/measured.md"
    report.into_page(table, report.block(found))
    print(f"claims: wrote {page} and the table of {table}")


if __name__ == "__main__":
    sys.exit(main())
