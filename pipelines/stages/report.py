"""Write the report of a build. Run: python -m pipelines.stages.report --data data --out data/report

The folder gets index.html (one self-contained page), iterations/NAME.html (one each),
summary.json (a DVC metric) and figures/*.svg with the rows behind each as figures/*.json (for
dvc plots).
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from curation.audit.report.build import Report, build
from curation.audit.text import table
from pipelines.core import params, stage
from pipelines.core.io import rounded
from pipelines.core.stage import Stage


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage and return its exit code."""
    parser = stage.parser(__doc__, inputs=["data"], outputs=["out"])
    parser.set_defaults(_inputs=["params"])  # the build holds the report's own folder
    return stage.run("report", parser, body, argv)


def body(run: Stage) -> None:
    """Parse, read, call, write."""
    chosen = params.load(run.args.params).model_dump(mode="json")
    report = build(run.args.data, chosen)
    records = {name: _text(rows) for name, rows in report.records().items()}
    _folder(run.args.out / "figures", report.drawings() | records)
    pages = {f"{name}.html": page for name, page in report.iterations.items()}
    _folder(run.args.out / "iterations", pages)
    run.outputs.text(run.args.out / "index.html", report.page)
    run.outputs.text(run.args.out / "summary.json", _text(report.summary))
    run.summary.rows_in = sum(row["responses"] for row in report.policies)
    run.summary.kept = run.summary.rows_in
    print(_headline(report))
    print(f"report: {run.args.out / 'index.html'}")


def _headline(report: Report) -> str:
    """Oracle reward by policy as text."""
    names = ("policy", "oracle reward", "standard error", "responses")
    keys = ("policy", "oracle_reward", "oracle_se", "responses")
    known = [row for row in report.policies if row["oracle_reward"] is not None]
    if not known:
        return "no policy has an oracle reward yet"
    return table(names, [[row[key] for key in keys] for row in known])


def _folder(folder: Path, texts: Mapping[str, str]) -> None:
    """Write files beside their folder, then exchange the two: whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temp = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent))
    old = temp.with_name(f"{temp.name}.old")
    try:
        for name, text in texts.items():
            (temp / name).write_text(text, "utf-8")
        temp.chmod(0o755)
        if folder.exists():
            folder.rename(old)
        temp.rename(folder)
    finally:
        shutil.rmtree(temp, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _text(value: object) -> str:
    return json.dumps(rounded(value), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
