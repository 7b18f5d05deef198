"""A local web app over a build: SQL with charts, every pair, what-if pairing, blind review.

Run: prefloop ui, and open the address it prints. It listens on this machine only (127.0.0.1).
Decisions of the review go to DATA/reviews/NAME.parquet, which the pair stage reads.
"""

from __future__ import annotations

import argparse
import socket
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import polars as pl

from curation.errors import UserError
from curation.ui.build import Build
from pipelines import audit, reviews, what_if
from pipelines.params import load
from pipelines.review import now

HOST = "127.0.0.1"


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until it is stopped; the exit code."""
    parser = audit.parser("ui", __doc__)
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), metavar="FILE")
    parser.add_argument("--port", type=int, default=8321, help="0 takes a free one (8321)")
    parser.add_argument("--open", action="store_true", help="open it in the browser")
    args = parser.parse_args(argv)
    return audit.guard("ui", lambda: _serve(args))


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
        pairings=lambda iteration, changed: what_if.pairings(data, iteration, params, changed),
        decisions=lambda: reviews.read(folder),
        record=record,
        now=now,
    )


def _serve(args: argparse.Namespace) -> None:
    try:
        import uvicorn

        from curation.ui.app import create
    except ModuleNotFoundError as error:
        raise UserError(f"{error.name} is not installed; run make ui, or install .[ui]") from error
    app = create(build_of(args.data, args.params))
    with _listening(args.port) as bound:
        address = f"http://{HOST}:{bound.getsockname()[1]}/"
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
