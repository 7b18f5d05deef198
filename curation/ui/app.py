"""The routes of the app. It serves one person on this machine, and trusts no text and no site."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from dataclasses import fields
from urllib.parse import parse_qs, urlencode

import duckdb
import polars as pl
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from curation.audit import why
from curation.audit.report.browser import visible
from curation.core.errors import UserError
from curation.review import queue
from curation.ui import ask, overview, pairs, reviewing, what_if
from curation.ui.build import Build, Memory, state
from curation.ui.pages import STATIC, render, static

_LARGEST = 100_000  # bytes of a posted form
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def create(build: Build) -> Starlette:
    """The app over one build; serve it on the loopback address only."""
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
        Mount("/report", StaticFiles(directory=build.data / "report", html=True, check_dir=False)),
    ]
    hosts = ["127.0.0.1", "localhost"]
    middleware = [
        Middleware(TrustedHostMiddleware, allowed_hosts=hosts),
        Middleware(BaseHTTPMiddleware, dispatch=_guarded),
    ]
    return Starlette(routes=routes, middleware=middleware)


async def _guarded(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
    """Refuse what another site sends, say what went wrong in one line, set the safe headers."""
    own = f"http://{request.headers.get('host', '')}"
    if request.method not in {"GET", "HEAD"} and request.headers.get("origin") != own:
        return Response("refused: the form was not sent by this app", 403)
    try:
        response = await call(request)
    except UserError as error:
        response = HTMLResponse(render("problem.html.j2", here="", problem=str(error)), 400)
    if not request.url.path.startswith("/report"):  # it brings its own policy
        response.headers.update(_HEADERS)
    return response


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
        text = io.StringIO()
        frame.write_csv(text)
        named = {"Content-Disposition": 'attachment; filename="answer.csv"'}
        return Response(text.getvalue(), media_type="text/csv", headers=named)

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
        skip = int(given["skip"]) if given.get("skip", "").isdigit() else 0
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
        body = await request.body()
        if len(body) > _LARGEST:
            raise UserError(f"form: longer than {_LARGEST:,} bytes")
        form = {key: found[-1] for key, found in parse_qs(body.decode("utf-8")).items()}
        pair, who = form.get("pair", ""), form.get("reviewer", "")
        answer, note = form.get("answer", ""), form.get("note", "")
        await run_in_threadpool(reviewing.decide, self.build, pair, answer, who, note)
        wanted = ("reviewer", "iteration", "skip")
        kept = {key: value for key, value in form.items() if key in wanted}
        if answer != "withdraw":
            kept["last"] = pair
        return RedirectResponse("/review?" + urlencode(kept), 303)


def _static(name: str) -> Callable[[Request], Response]:
    def serve(request: Request) -> Response:
        return Response(static(name), media_type=STATIC[name])

    return serve
