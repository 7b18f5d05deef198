"""Write the report of a build.

Run: python -m pipelines.stages.report --data data --out data/report --metrics data/metrics

The folder gets index.html (one self-contained page), iterations/NAME.html (one each), summary.json
and figures/*.svg with the rows behind each as figures/*.json, which dvc plots draws in plots.html,
offline. The metrics are what dvc metrics shows: a small file each policy, mix and judge.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from curation.audit.report import offline_plots
from curation.audit.report.build import Report, build
from curation.audit.text import table
from pipelines.core import params, stage
from pipelines.core.arguments import Arguments, reads, writes
from pipelines.core.outputs import rounded
from pipelines.core.stage import Stage


class Args(Arguments):
    """What the stage reads, writes and is told."""

    data: Path = reads()
    out: Path = writes()
    metrics: Path = writes()

    def inputs(self) -> list[Path]:
        """The build holds the report's own folder, so only the recipe is watched."""
        return [self.params]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage and return its exit code."""
    return stage.run("report", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Parse, read, call, write."""
    chosen = params.load(args.params).model_dump(mode="json")
    report = build(args.data, chosen)
    records = {name: _text(rows) for name, rows in report.records().items()}
    pages = {f"{name}.html": page for name, page in report.iterations.items()}
    run.outputs.text(args.out / "index.html", report.page)
    run.outputs.text(args.out / "summary.json", _text(report.summary))
    run.outputs.text(args.out / "plots.html", offline_plots.template())
    few = {f"{name}.json": _text(row) for name, row in report.metrics.items()}
    figures = report.drawings() | records
    _folders({args.out / "figures": figures, args.out / "iterations": pages, args.metrics: few})
    run.summary.rows_in = sum(row["responses"] for row in report.policies)
    run.summary.kept = run.summary.rows_in
    print(_headline(report))
    print(f"report: {args.out / 'index.html'}")


def _headline(report: Report) -> str:
    """Oracle reward by policy as text."""
    names = ("policy", "oracle reward", "standard error", "responses")
    keys = ("policy", "oracle_reward", "oracle_se", "responses")
    known = [row for row in report.policies if row["oracle_reward"] is not None]
    if not known:
        return "no policy has an oracle reward yet"
    return table(names, [[row[key] for key in keys] for row in known])


def _folders(wanted: Mapping[Path, Mapping[str, str]]) -> None:
    """Write the files of all folders beside them, then exchange each: all of them or none."""
    made: dict[Path, Path] = {}
    try:
        for folder, texts in wanted.items():
            folder.parent.mkdir(parents=True, exist_ok=True)
            temp = tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent)
            made[folder] = Path(temp)
            for name, text in texts.items():
                path = made[folder] / name
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, "utf-8")
            made[folder].chmod(0o755)
        for folder, ready in made.items():
            _exchange(folder, ready)
    finally:
        for ready in made.values():
            shutil.rmtree(ready, ignore_errors=True)


def _exchange(folder: Path, ready: Path) -> None:
    old = ready.with_name(f"{ready.name}.old")
    if folder.exists():
        folder.rename(old)
    ready.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _text(value: object) -> str:
    return json.dumps(rounded(value), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
