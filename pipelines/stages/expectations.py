"""Gate flat frames with Great Expectations and write Data Docs to data/docs/NAME.

Run: python -m pipelines.stages.expectations --suite sources --tables data/sources/preference \\
    --report data/expectations/sources.json

--tables is a folder of folders for the suites sources (NAME/table.parquet) and mixes
(NAME/mix.parquet), and scores.parquet and pairs.parquet for the suite iteration. The docs carry
time stamps, so they are not a declared output; the report carries none.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from curation.core import schema
from curation.core.errors import UserError
from curation.gates import expectations, flat_frames
from curation.gates.expectations import Expectation
from pipelines.core import io, stage
from pipelines.core.arguments import Arguments, foreach, option, reads, writes
from pipelines.core.params import load
from pipelines.core.params.recipe import Gates
from pipelines.core.stage import Stage

Frames = dict[str, tuple[pl.DataFrame, Sequence[Expectation]]]
_MEMBER = {
    "sources": ("table.parquet", schema.PREFERENCES),
    "mixes": ("mix.parquet", schema.MIXES),
}


class Args(Arguments):
    """What the stage reads, writes and is told."""

    tables: tuple[Path, ...] = reads(default=())
    report: Path = writes()
    suite: str = foreach(choices=["sources", "mixes", "iteration"])
    docs: Path | None = option(default=None, metavar="PATH", help="default: ../docs/REPORT NAME")


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the flags, validate, write the report; the exit code, 2 when an expectation fails."""
    return stage.run("expectations", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Read the tables, validate the suite's frames, write the report and the docs."""
    gates = load(args.params).gates
    if args.suite == "iteration":
        frames = _iteration(args.tables, gates)
    else:
        frames = _members(args.suite, args.tables, gates)
    docs = args.docs or args.report.parent.parent / "docs" / args.report.stem
    docs.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{docs.name}.", dir=docs.parent) as temp:
        site = Path(temp) / "site"
        report = expectations.validate(args.suite, frames, str(site.resolve()))
        _written(site, docs)
        shutil.rmtree(docs, ignore_errors=True)
        site.rename(docs)
    run.outputs.json(args.report, report)
    if not report["passed"]:
        run.outputs.commit()  # the report of a failed gate is there to be read
        raise UserError(f"{expectations.complaint(report)}; see {docs / 'index.html'}")
    run.summary.rows_in = run.summary.kept = sum(f["rows"] for f in report["frames"].values())
    count = sum(len(f["expectations"]) for f in report["frames"].values())
    run.summary.note = f"{args.suite}: {count} expectations hold, docs in {docs}"


def _written(site: Path, docs: Path) -> None:
    """Check that the docs are there: Great Expectations goes on where it could not write a page.

    Raises:
        UserError: a page is missing or empty.
    """
    pages = list(site.rglob("*.html"))
    index = site / "index.html"
    if index not in pages or not all(page.stat().st_size for page in pages):
        raise UserError(f"{docs}: its pages could not be written whole; free some disk space")


def _members(suite: str, tables: Sequence[Path], gates: Gates) -> Frames:
    """One flat row per source of every member folder."""
    file, table = _MEMBER[suite]
    found = sorted(path for folder in tables for path in folder.glob(f"*/{file}"))
    if not found:
        raise UserError(f"--tables {' '.join(map(str, tables))}: no */{file} in it")
    rows = [
        flat_frames.per_source(
            io.scan(path, table),
            io.scan(path.parent / "rejects.parquet", schema.REJECTS),
            path.parent.name,
        )
        for path in found
    ]
    expected = expectations.per_source(gates.max_drop_rate, gates.chosen_longer_rate)
    return {suite: (flat_frames.some(pl.concat(rows), suite), expected)}


def _iteration(tables: Sequence[Path], gates: Gates) -> Frames:
    """The scores and the pairs of one iteration, told apart by their file names."""
    by_name = {path.stem: path for path in tables}
    if set(by_name) != {"scores", "pairs"}:
        raise UserError("--tables: the suite iteration wants scores.parquet and pairs.parquet")
    scores = flat_frames.scores(io.scan(by_name["scores"], schema.SCORES))
    pairs = flat_frames.pairs(io.scan(by_name["pairs"], schema.PAIRS))
    return {
        "scores": (flat_frames.some(scores, "scores"), expectations.scores(gates.max_null_scores)),
        "pairs": (flat_frames.some(pairs, "pairs"), expectations.pairs()),
    }


if __name__ == "__main__":
    sys.exit(main())
