"""A twin of the 8B recipe through the whole graph, on the CPU, every trainer in two processes.

Run: python -m benchmarks.twin --work FOLDER [--recipe llama3-8b] [--rows 50] [--out PAGE.md]

The twin extends the recipe: the same keys, the same sources by their addresses and patterns, the
same base model by its name. A server on the loopback stands in for the Hub and serves made rows in
each set's published files and schema, and a random Llama of four layers with Llama-3's own
tokenizer. What differs are sizes, and they are printed. FOLDER holds the project's copy, in which
`prefloop repro` has run; a second run goes on where the first was stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.matrix.packages import NotInstalledError
from benchmarks.twin import hub, model, recipe
from tests.conftest import copy_project
from tests.pipelines.shared.hub_server import HubServer

NAME = "twin"


def main() -> None:
    """Parse, serve, build, tell."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.twin", description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--recipe", default="llama3-8b")
    parser.add_argument("--rows", type=int, default=50, help="of each repository")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    path = Path(f"recipes/{args.recipe}.yaml")
    project = args.work / "project"
    if not project.is_dir():
        project.mkdir(parents=True)
        copy_project(project)
    twin = project / f"recipes/{NAME}.yaml"
    twin.write_text(recipe.text(args.recipe), "utf-8")
    started = time.monotonic()
    with HubServer() as server:
        serve(server, path, args.rows)
        build(project, server.url, args.work / "hub")
    said = page(project, recipe.differing(path, twin), args, time.monotonic() - started)
    print(said)
    if args.out:
        args.out.write_text(said, "utf-8")


def serve(server: HubServer, path: Path, rows: int) -> None:
    """Put everything that the recipe names into the stand-in."""
    for repo, files in hub.files(recipe.uris(path), rows).items():
        server.commit(repo, files)
    with tempfile.TemporaryDirectory() as folder:
        try:
            made = model.files(Path(folder))
        except NotInstalledError as error:
            raise SystemExit(f"twin: {error}") from error
        server.commit(recipe.base(path), made, kind="models")


def build(project: Path, url: str, cache: Path) -> None:
    """`prefloop use`, `pin` and `repro` in the copy; ends with the code of what fails."""
    environment = {
        **os.environ,
        "HF_ENDPOINT": url,
        "HF_HOME": str(cache.absolute()),
        "HF_HUB_DISABLE_XET": "1",
        "PYTHONPATH": str(project.absolute()),
        "NO_PROXY": "127.0.0.1",
    }
    for command in (["use", NAME], ["pin"], ["repro"]):
        done = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", *command],
            cwd=project,
            env=environment,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"twin: prefloop {command[0]} ended with {done.returncode}")


def page(
    project: Path, differing: Mapping[str, tuple[Any, Any]], args: argparse.Namespace, wall: float
) -> str:
    """What ran, how long it took and what differs, as Markdown."""
    lines = [
        f"# The twin of recipes/{args.recipe}.yaml",
        "",
        f"`python -m benchmarks.twin` with {args.rows} rows a repository: {wall / 60:.0f} minutes "
        f"on {len(os.sched_getaffinity(0))} CPU cores.",
        "",
        "| stage | runs | seconds | peak GiB | rows |",
        "|---|---|---|---|---|",
        *(f"| {' | '.join(map(str, row))} |" for row in ran(project)),
        "",
        f"The recipe's keys, {len(differing)} of them with other values:",
        "",
        "| key | recipe | twin |",
        "|---|---|---|",
        *(f"| `{key}` | {ours} | {theirs} |" for key, (ours, theirs) in differing.items()),
    ]
    return "\n".join(lines) + "\n"


def ran(project: Path) -> list[tuple[str, int, str, str, int]]:
    """Kind of stage, how many ran, their seconds, memory and rows, from the timings they leave."""
    found: dict[str, list[dict[str, Any]]] = {}
    for file in sorted((project / ".work/timings").glob("*.json")):
        told = json.loads(file.read_text("utf-8"))
        found.setdefault(file.stem.partition("@")[0], []).append(told)
    return [
        (
            name,
            len(runs),
            f"{sum(run['seconds'] for run in runs):.0f}",
            f"{max(run['peak_gib'] for run in runs):.1f}",
            sum(run["rows"] for run in runs),
        )
        for name, runs in found.items()
    ]


if __name__ == "__main__":
    main()
