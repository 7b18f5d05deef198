"""What stands before every route: who asks, how much a body may hold, what each answer carries."""

from __future__ import annotations

import hashlib
import hmac
import re
import sys
import traceback
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST = 100_000  # bytes of a posted form
_HOST = re.compile(r"(127\.0\.0\.1|localhost)(:\d{1,5})?")
_OURS = {"same-origin", "none"}  # a page of the app, or an address that a person has typed
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_REPORT = {  # one page with its own script and style in it, which may ask nothing
    **_HEADERS,
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
        "img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
}


class Guard:
    """An app behind a token, for one person at a browser of this machine.

    Every route, errors and files included, is for requests to this host, of this app's own pages or
    typed by a person, that carry the cookie which the printed link sets. Every answer carries the
    safe headers; what goes wrong is a line without a traceback.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token
        # browsers keep cookies by host without the port: two apps would share one name
        self.cookie = "prefloop-" + hashlib.sha256(token.encode()).hexdigest()[:12]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, _REPORT if scope["path"].startswith("/report") else _HEADERS)
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, answer)
            return
        try:
            await self._app(scope, _Limited(receive), answer)
        except _TooLongError:
            await _told(f"refused: a form of more than {LARGEST:,} bytes", 413)(
                scope, receive, answer
            )
        except Exception:
            traceback.print_exc(file=sys.stderr)
            if not answer.begun:
                told = _told("something went wrong; the terminal of prefloop ui says what", 500)
                await told(scope, receive, answer)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not _HOST.fullmatch(host):
            return _told("refused: this app answers to 127.0.0.1 only", 400)
        if headers.get("origin", f"http://{host}") != f"http://{host}":
            return _told("refused: another site asked", 403)
        if headers.get("sec-fetch-site", "none") not in _OURS:
            return _told("refused: another site asked", 403)
        if scope["method"] not in {"GET", "HEAD"} and "origin" not in headers:
            return _told("refused: the form was not sent by this app", 403)
        length = headers.get("content-length", "0")
        if len(length) > 12 or not length.isdecimal() or int(length) > LARGEST:
            return _told(f"refused: a form of more than {LARGEST:,} bytes", 413)
        return self._entry(scope, headers)

    def _entry(self, scope: Scope, headers: Mapping[str, str]) -> Response | None:
        """None for whoever has the cookie; the cookie for whoever has the link."""
        if self._same(_cookie(headers.get("cookie", ""), self.cookie)):
            return None
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[-1]
        if scope["method"] != "GET" or not self._same(given):
            return _told("refused: open the link that prefloop ui has printed", 403)
        response = RedirectResponse(scope["path"] or "/", 303)
        response.set_cookie(self.cookie, self._token, httponly=True, samesite="strict")
        return response

    def _same(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())


class _Answer:
    """Sends what it is given, with the safe headers."""

    def __init__(self, send: Send, headers: Mapping[str, str]) -> None:
        self._send, self._headers, self.begun = send, headers, False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            MutableHeaders(scope=message).update(self._headers)
        await self._send(message)


class _TooLongError(Exception):
    pass


class _Limited:
    """Reads a body until it is too long: what is never read takes no memory."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._read = receive, 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._read += len(message.get("body", b""))
        if self._read > LARGEST:
            raise _TooLongError
        return message


def _told(line: str, status: int) -> Response:
    return PlainTextResponse(f"{line}\n", status)


def _cookie(header: str, name: str) -> str:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return found.value if found else ""
