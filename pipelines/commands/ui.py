"""prefloop ui: a local web app: SQL with charts, every pair, what-if, blind review.

Run: prefloop ui, and open the link it prints. It listens on this machine only (127.0.0.1), and the
link holds a token that is new each time: without it no other user and no web page reads a row.
Decisions of the review go to DATA/reviews/NAME.parquet, which the pair stage reads.
"""

from __future__ import annotations

import argparse
import secrets
import socket
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl

from curation.core.errors import UserError
from curation.pairing.pairs import Made
from curation.ui.build import Build, Memory, Pairings, state
from pipelines.core.params import Params, load
from pipelines.shared import asking, reviews, scored

TASK = "try another pairing, and look"

HOST = "127.0.0.1"
PROMPTS = 20_000  # of more prompts the sliders pair this many, chosen by hash


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until it is stopped; the exit code."""
    parser = asking.parser("ui", __doc__)
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), metavar="FILE")
    parser.add_argument("--port", type=int, default=8321, help="0 takes a free one (8321)")
    parser.add_argument("--open", action="store_true", help="open it in the browser")
    args = parser.parse_args(argv)
    return asking.guard("ui", lambda: _serve(args))


def build_of(data: Path, params_file: Path) -> Build:
    """The build and the actions the app may take on it.

    Raises:
        UserError: params.yaml is not valid, or the folder is missing.
    """
    if not data.is_dir():
        raise UserError(f"{data}: no such folder; run dvc repro first, or name it with --data")
    params = load(params_file)
    folder = data / "reviews"

    def record(rows: pl.DataFrame) -> int:
        return reviews.append(folder, rows)

    return Build(
        data=data,
        knobs=params.pairs.model_dump(),
        pairings=Paired(data, params),
        decisions=lambda: reviews.read(folder),
        record=record,
        now=reviews.now,
    )


class Paired:
    """Pairings for the sliders: what one iteration's tables hold and the first pairing are kept."""

    def __init__(self, data: Path, params: Params) -> None:
        self._data = data
        self._params = params
        self._last: Memory[tuple[scored.Scored, Made]] = Memory()

    def __call__(self, iteration: str, changed: dict[str, Any]) -> Pairings:
        """Both pairings of about PROMPTS prompts of an iteration."""
        folder = self._data / "iterations" / iteration
        files = [folder / "generations.parquet", folder / "scores.parquet"]
        files += [self._data / "prompts" / "prompts.parquet"]
        present = [file for file in files if file.is_file()]
        key = state([*present, *self._data.glob("reviews/*.parquet")])
        tables, before = self._last.of(key, lambda: self._begin(iteration))
        return Pairings(before, tables.pair(self._params, changed), tables.share)

    def _begin(self, iteration: str) -> tuple[scored.Scored, Made]:
        tables = scored.sampled(scored.scored(self._data, iteration), PROMPTS)
        return tables, tables.pair(self._params, {})


def _serve(args: argparse.Namespace) -> None:
    try:
        import uvicorn

        from curation.ui.app import create
    except ModuleNotFoundError as error:
        raise UserError(f"{error.name} is not installed; run make ui, or install .[ui]") from error
    token = secrets.token_urlsafe(24)
    app = create(build_of(args.data, args.params), token)
    with _listening(args.port) as bound:
        address = f"http://{HOST}:{bound.getsockname()[1]}/?token={token}"
        print(f"ui: {address} (Ctrl-C stops it)", flush=True)
        if args.open:
            webbrowser.open(address)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        with suppress(KeyboardInterrupt):  # uvicorn raises it again once it has shut down
            server.run(sockets=[bound])


def _listening(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
        bound.listen()
    except (OSError, OverflowError) as error:
        bound.close()
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"--port {port}: {reason}; give another, or 0 for a free one") from error
    return bound
