"""A stand-in for the Hub's read API over real HTTP on the loopback: repositories kept in memory.

It speaks what huggingface_hub asks when it looks up a repository and downloads files: repository
info, tree, paths-info and resolve with ETag and X-Repo-Commit. `HubServer.answer` is the one door
for requests: a subclass that takes commits overrides it and falls back on this one.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

Files = dict[str, bytes]
_API = re.compile(r"^/api/(?P<kind>models|datasets)/(?P<repo>[^/]+/[^/]+)(/(?P<rest>.*))?$")
_RESOLVE = re.compile(
    r"^/((?P<kind>datasets)/)?(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)$"
)


@dataclass
class Repo:
    """One repository: its commits by hash, and where branches and tags point."""

    commits: dict[str, Files] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def resolve(self, revision: str) -> str | None:
        """The commit of a branch, a tag or a commit's own hash."""
        found = self.refs.get(revision, revision)
        return found if found in self.commits else None


@dataclass(frozen=True)
class Request:
    """One request as the server got it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass
class Reply:
    """An answer: status, body, headers; `cut` closes the connection after so many bytes."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None

    @staticmethod
    def json(value: Any, status: int = 200) -> Reply:
        """A JSON answer."""
        return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

    @staticmethod
    def error(status: int, code: str, says: str) -> Reply:
        """An error as the Hub words it."""
        headers = {"X-Error-Code": code, "X-Error-Message": says}
        return Reply(status, json.dumps({"error": says}).encode(), headers)


class HubServer:
    """The server: `with HubServer() as hub`, then HF_ENDPOINT=hub.url.

    Attributes:
        repos: (models or datasets, owner/name) -> repository.
        token: When set, requests without it are refused with 401.
        cuts: Path inside a repository -> bytes after which its download is cut, each time.
        seen: Every request so far.
    """

    def __init__(self, token: str | None = None) -> None:
        self.repos: dict[tuple[str, str], Repo] = {}
        self.token = token
        self.cuts: dict[str, int] = {}
        self.seen: list[Request] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> HubServer:
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def commit(self, repo: str, files: Files, branch: str = "main", kind: str = "datasets") -> str:
        """Add a commit with these files (and those before it) to a branch; its hash."""
        one = self.repos.setdefault((kind, repo), Repo())
        before = one.commits.get(one.refs.get(branch, ""), {})
        whole = {**before, **files}
        content = repr((sorted(whole.items()), len(one.commits)))
        sha = hashlib.sha1(content.encode(), usedforsecurity=False).hexdigest()
        one.commits[sha], one.refs[branch] = whole, sha
        return sha

    def answer(self, request: Request) -> Reply:
        """The reply to a request."""
        given = request.headers.get("authorization", "")
        if self.token is not None and given != f"Bearer {self.token}":
            return Reply.error(401, "", "Invalid username or password.")
        path = urlsplit(request.path).path
        if match := _API.match(path):
            return self._api(request, match["kind"], match["repo"], match["rest"] or "")
        if match := _RESOLVE.match(path):
            key = (match["kind"] or "models", match["repo"])
            return self._file(request, key, unquote(match["revision"]), unquote(match["path"]))
        return Reply.error(404, "", f"no route {path}")

    def _api(self, request: Request, kind: str, name: str, rest: str) -> Reply:
        repo = self.repos.get((kind, name))
        if repo is None:
            return Reply.error(404, "RepoNotFound", "Repository not found")
        call, _, rest = rest.partition("/")
        revision, path = map(unquote, rest.partition("/")[::2])
        sha = repo.resolve(revision or "main")
        if sha is None:
            return Reply.error(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        files = repo.commits[sha]
        if call in ("", "revision"):
            return Reply.json(_info(name, sha, files))
        if call == "tree":
            inside = {name: body for name, body in files.items() if name.startswith(path)}
            return Reply.json([_entry(name, body) for name, body in sorted(inside.items())])
        if call == "paths-info":
            wanted = json.loads(request.body)["paths"]
            return Reply.json([_entry(name, files[name]) for name in wanted if name in files])
        return Reply.error(404, "", f"no route {call}")

    def _file(self, request: Request, key: tuple[str, str], revision: str, path: str) -> Reply:
        repo = self.repos.get(key)
        if repo is None:
            return Reply.error(404, "RepoNotFound", "Repository not found")
        sha = repo.resolve(revision)
        if sha is None:
            return Reply.error(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        if path not in repo.commits[sha]:
            return Reply.error(404, "EntryNotFound", "Entry not found")
        body = repo.commits[sha][path]
        headers = {"ETag": f'"{blob(body)}"', "X-Repo-Commit": sha, "Accept-Ranges": "bytes"}
        return _ranged(request, body, headers, self.cuts.get(path))


def blob(body: bytes) -> str:
    """git's hash of a file's content."""
    head = f"blob {len(body)}\0".encode()
    return hashlib.sha1(head + body, usedforsecurity=False).hexdigest()


def _ranged(request: Request, body: bytes, headers: dict[str, str], cut: int | None) -> Reply:
    wanted = re.match(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    if wanted is None:
        return Reply(200, body, headers, cut)
    start, end = int(wanted[1]), int(wanted[2] or len(body) - 1)
    span = f"bytes {start}-{end}/{len(body)}"
    return Reply(206, body[start : end + 1], {**headers, "Content-Range": span}, cut)


def _info(name: str, sha: str, files: Files) -> dict[str, Any]:
    siblings = [{"rfilename": path} for path in sorted(files)]
    return {"_id": sha[:24], "id": name, "sha": sha, "private": False, "siblings": siblings}


def _entry(name: str, body: bytes) -> dict[str, Any]:
    return {"type": "file", "path": name, "size": len(body), "oid": blob(body)}


def _handler(hub: HubServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path, headers, body)
            hub.seen.append(request)
            self._send(hub.answer(request))

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            self.wfile.write(reply.body if reply.cut is None else reply.body[: reply.cut])
            self.close_connection = reply.cut is not None

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing: the tests' output is for tests."""

    return Handler
