"""prefloop experiments: one page over all `dvc exp` runs and their reports.

Run: prefloop experiments            writes data/report/experiments/index.html
     prefloop experiments --json     prints the same as JSON

Shown are the workspace, HEAD, the commits that experiments started from, and every experiment that
`dvc exp list --all-commits` names; their reports come from DVC's cache or remote.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from curation.audit.report.experiments import Run, differences, figures, flat, page
from curation.core.errors import UserError
from pipelines.core.outputs import atomic, rounded
from pipelines.shared import asking
from pipelines.shared.revisions import fetch, show

TASK = "ask a build"

_PAGES = ("report/index.html", "report/iterations")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = asking.parser("experiments", __doc__)
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="DATA/report/experiments")
    parser.add_argument("--json", action="store_true", help="print JSON, write nothing")
    args = parser.parse_args(argv)
    return asking.guard("experiments", lambda: _body(args))


def _body(args: argparse.Namespace) -> None:
    out = args.out or args.data / "report" / "experiments"
    runs = [_workspace(args.data), *(_committed(run, args.data) for run in _revisions())]
    if args.json:
        print(json.dumps(rounded(_plain(runs)), indent=1, ensure_ascii=False))
        return
    linked = [_linked(run, args.data, out) for run in runs]
    with atomic(out / "index.html") as temp:
        temp.write_text(page(linked), "utf-8")
    differing = differences([run.params for run in runs])
    print(f"{len(runs)} runs; they differ in {', '.join(differing) or 'no parameter'}")
    print(f"experiments: {out / 'index.html'}")


def _revisions() -> Iterator[Run]:
    """HEAD, the commits experiments started from, and the experiments, each without its files."""
    found = _experiments()
    head = _git("rev-parse", "HEAD")
    for commit in dict.fromkeys([*head, *found]):
        yield _run(_title(commit), "commit", commit)
    names = {sha: name for named in found.values() for name, sha in named}
    newest_first = _git("rev-list", "--no-walk=sorted", *names) if names else []
    for commit in reversed(newest_first):
        yield _run(names[commit], "experiment", commit)


def _experiments() -> dict[str, list[tuple[str, str]]]:
    """Commit that experiments started from -> name and commit of each, as `dvc exp list` has them.

    `dvc.api.exp_show` gives their values at once, but 0, False and "" as None.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(".") as repo:
            found: dict[str, list[tuple[str, str]]] = repo.experiments.ls(all_commits=True)
    except DvcException as error:
        raise UserError(f"dvc exp list: {error}; run this in the project's git checkout") from error
    return {base: found[base] for base in sorted(found)}


def _run(name: str, kind: str, commit: str) -> Run:
    (made,) = _git("show", "--no-patch", "--format=%cs", commit)
    return Run(name, kind, commit, made, {}, None, None)


def _title(commit: str) -> str:
    names = _git("for-each-ref", "--points-at", commit, "--format=%(refname:short)", "refs/heads")
    return names[0] if names else commit[:7]


def _workspace(data: Path) -> Run:
    """What lies in the working folder now, committed or not."""
    params, summary = Path("params.yaml"), data / "report" / "summary.json"
    if not params.is_file():
        raise UserError("params.yaml: no such file; run this in the project's folder")
    run = Run("workspace", "now", "", "", _mapping(params.read_text("utf-8")), None, None)
    if not summary.is_file():
        return replace(run, reason="no report yet; run dvc repro")
    return replace(run, summary=json.loads(summary.read_text("utf-8")))


def _committed(run: Run, data: Path) -> Run:
    """The run with its params and, where DVC still has it, its summary."""
    try:
        params = _mapping(show(run.commit, "params.yaml"))
    except UserError as error:
        return replace(run, reason=str(error))
    run = replace(run, params=params)
    with asking.scratch() as folder:
        try:
            (file,) = fetch(run.commit, data, "report/summary.json", folder)
            return replace(run, summary=json.loads(file.read_text("utf-8")))
        except UserError as error:
            return replace(run, reason=str(error))


def _linked(run: Run, data: Path, out: Path) -> Run:
    """The run with the pages of its report brought to a folder beside the index."""
    if run.summary is None:
        return run
    if run.kind == "now":
        return replace(run, link="../index.html") if out == data / "report" / "experiments" else run
    name = f"{run.name}-{run.commit[:7]}".replace("/", "_")
    with asking.scratch() as folder:
        try:
            found = [fetch(run.commit, data, one, folder)[0] for one in _PAGES]
        except UserError:
            return run
        shutil.rmtree(out / name, ignore_errors=True)
        (out / name).mkdir(parents=True)
        for path in found:
            shutil.move(path, out / name / path.name)
    return replace(run, link=f"{name}/index.html")


def _plain(runs: list[Run]) -> dict[str, Any]:
    differing = differences([run.params for run in runs])
    return {
        "differing": differing,
        "runs": [
            {
                "name": run.name,
                "kind": run.kind,
                "commit": run.commit,
                "made": run.made,
                "params": {key: flat(run.params).get(key) for key in differing},
                "figures": figures(run.summary),
                "reason": run.reason,
            }
            for run in runs
        ],
    }


def _mapping(text: str) -> dict[str, Any]:
    found = yaml.safe_load(text)
    return found if isinstance(found, dict) else {}


def _git(*words: str) -> list[str]:
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[0]
        raise UserError(f"git {words[0]}: {reason}; run this in the project's git checkout")
    return done.stdout.splitlines()
