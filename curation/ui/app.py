"""The routes of the app. It serves one person on this machine, and trusts no text and no site."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from urllib.parse import parse_qs, urlencode

import duckdb
import polars as pl
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from curation.audit import why
from curation.audit.csv_text import pieces
from curation.audit.report.browser import visible
from curation.core.errors import UserError
from curation.review import queue
from curation.ui import ask, overview, pairs, reviewing, what_if
from curation.ui.build import Build, Memory, state
from curation.ui.guard import Guard
from curation.ui.pages import STATIC, render, static


def create(build: Build, token: str) -> Guard:
    """The app over one build, for whoever has the token; serve it on the loopback address only."""
    pages = Pages(build)
    routes = [
        Route("/", pages.overview),
        Route("/ask", pages.ask),
        Route("/answer.csv", pages.csv),
        Route("/pairs", pages.pairs),
        Route("/why/{id}", pages.why),
        Route("/what-if", pages.what_if),
        Route("/review", pages.review),
        Route("/review", pages.decide, methods=["POST"]),
        *(Route(f"/{name}", _static(name)) for name in STATIC),
        Mount("/report", _Report(directory=build.data / "report", html=True, check_dir=False)),
    ]
    handlers = {UserError: _problem}
    return Guard(Starlette(routes=routes, exception_handlers=handlers), token)


async def _problem(_: Request, error: Exception) -> Response:
    """Say what went wrong in one line."""
    return HTMLResponse(render("problem.html.j2", here="", problem=str(error)), 400)


class Pages:
    """One method per page: read the request, call, render."""

    def __init__(self, build: Build) -> None:
        self.build = build
        self._queue: Memory[pl.DataFrame] = Memory()

    def _reasons(self, con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
        """Why each pair is worth a look, worked out once for as long as the tables stay."""
        tables = (*self.build.data.glob("iterations/*/pairs.parquet"),)
        scores = (*self.build.data.glob("iterations/*/scores.parquet"),)
        return self._queue.of(state((*tables, *scores)), lambda: queue.reasons(con))

    def overview(self, request: Request) -> Response:
        """Tables with their rows, gates, where to go."""
        found = overview.overview(self.build)
        return HTMLResponse(render("overview_app.html.j2", here="/", found=found))

    def ask(self, request: Request) -> Response:
        """A query, its chart and its rows."""
        wanted = ask.asked(dict(request.query_params))
        with self.build.open() as con:
            known = ask.tables(con)
        found = ask.answer(self.build, wanted)
        link = "/answer.csv?" + urlencode({"q": wanted.query})
        page = render(
            "ask.html.j2", here="/ask", asked=wanted, found=found, tables=known, download=link
        )
        return HTMLResponse(page, 400 if found.problem and not found.names else 200)

    def csv(self, request: Request) -> Response:
        """Every row of an answer as CSV."""
        frame = ask.whole(self.build, request.query_params.get("q", ""))
        named = {"Content-Disposition": 'attachment; filename="answer.csv"'}
        return StreamingResponse(pieces(frame), media_type="text/csv", headers=named)

    def pairs(self, request: Request) -> Response:
        """The pair browser."""
        names = {one.name for one in fields(pairs.Filters)}
        given = {key: value for key, value in request.query_params.items() if key in names}
        want = pairs.Filters(**given)
        with self.build.open() as con:
            found = pairs.page(con, want)
        links = {
            at: "/pairs?" + urlencode({**given, "page": at})
            for at in (found.page - 1, found.page + 1)
            if 1 <= at <= found.pages
        }
        page = render(
            "browse.html.j2", here="/pairs", want=want, found=found, links=links,
            tables=pairs.TABLES, orders=pairs.ORDERS,
        )  # fmt: skip
        return HTMLResponse(page)

    def why(self, request: Request) -> Response:
        """The life of one row."""
        life = why.explain(self.build.data, request.path_params["id"])
        texts = [(name, visible(text)) for name, text in life.texts]
        return HTMLResponse(render("why.html.j2", here="", life=life, texts=texts))

    def what_if(self, request: Request) -> Response:
        """Another pairing of stored scores; a script asks for the result alone."""
        given = dict(request.query_params)
        known = self.build.iterations()
        iteration = given.get("iteration") or (known[0] if known else "")
        wanted = what_if.knobs(given, self.build.knobs)
        found, problem = None, None
        try:
            found = what_if.result(self.build, iteration, wanted)
        except UserError as error:
            problem = str(error)
        part = request.headers.get("x-part") == "result"
        page = render(
            "what_if_result.html.j2" if part else "what_if.html.j2", here="/what-if",
            iterations=known, iteration=iteration, wanted=wanted, found=found, problem=problem,
            sliders=what_if.SLIDERS, choices=what_if.CHOICES,
        )  # fmt: skip
        return HTMLResponse(page)

    def review(self, request: Request) -> Response:
        """The next pair of a reviewer's queue, or a question for the reviewer's name."""
        given = request.query_params
        who, iteration = given.get("reviewer", ""), given.get("iteration", "")
        skip = _count(given.get("skip", ""))
        found, told = None, ""
        if who:
            rows = self.build.decisions()
            with self.build.open() as con:
                asked = reviewing.Queue(who, iteration, skip)
                found = reviewing.screen(con, rows, asked, self._reasons(con))
                told = reviewing.told(con, rows, who, given.get("last", ""))
        page = render(
            "review.html.j2", here="/review", reviewer=who, iteration=iteration, skip=skip,
            found=found, told=told, last=given.get("last", ""), iterations=self.build.iterations(),
        )  # fmt: skip
        return HTMLResponse(page)

    async def decide(self, request: Request) -> Response:
        """Record a decision, then show the next pair."""
        try:
            text = (await request.body()).decode("utf-8")
        except UnicodeDecodeError as error:
            raise UserError("form: not UTF-8 text") from error
        form = {key: found[-1] for key, found in parse_qs(text).items()}
        pair, who = form.get("pair", ""), form.get("reviewer", "")
        answer, note = form.get("answer", ""), form.get("note", "")
        await run_in_threadpool(reviewing.decide, self.build, pair, answer, who, note)
        wanted = ("reviewer", "iteration", "skip")
        kept = {key: value for key, value in form.items() if key in wanted}
        if answer != "withdraw":
            kept["last"] = pair
        return RedirectResponse("/review?" + urlencode(kept), 303)


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


class _Report(StaticFiles):
    """The report's files; a build may have none yet."""

    async def check_config(self) -> None:
        """Say that there is no such page, where there is no report."""
        if self.directory is None or not Path(self.directory).is_dir():
            raise HTTPException(404)
        await super().check_config()


def _static(name: str) -> Callable[[Request], Response]:
    def serve(request: Request) -> Response:
        return Response(static(name), media_type=STATIC[name])

    return serve
