"""A stand-in for the Hub on the loopback: repositories in memory, spoken to over real HTTP.

It keeps what the Hub keeps (commits, branches, tags, pull requests, LFS objects), answers the
routes that huggingface_hub and datasets ask for, and refuses what the Hub refuses: a write without
the token (401), a commit upon another parent (412), a name that exists (409).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

TOKEN = "hf_" + "standin" * 5
_LFS = (".parquet", ".safetensors")
_TYPES = {"datasets": "dataset", "models": "model"}


@dataclass
class Commit:
    oid: str
    title: str
    parent: str | None
    files: dict[str, bytes]


@dataclass
class Repo:
    private: bool
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    pulls: int = 0

    def commit(self, title: str, files: dict[str, bytes], branch: str = "main") -> Commit:
        parent = self.branches.get(branch)
        text = json.dumps([title, parent, sorted((k, _sha(v)) for k, v in files.items())])
        made = Commit(hashlib.sha1(text.encode()).hexdigest(), title, parent, files)
        self.commits[made.oid] = made
        self.branches[branch] = made.oid
        return made

    def at(self, revision: str) -> Commit | None:
        oid = self.branches.get(revision) or self.tags.get(revision) or revision
        return self.commits.get(oid)

    @property
    def main(self) -> Commit:
        return self.commits[self.branches["main"]]


class Hub(ThreadingHTTPServer):
    """The server; `asked` has every request, `drop` names those whose connection is cut.

    With `lose_answer` a commit is taken and the connection cut before the answer.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repos: dict[tuple[str, str], Repo] = {}
        self.objects: dict[str, bytes] = {}
        self.asked: list[tuple[str, str]] = []
        self.drop: Callable[[str, str], bool] = lambda _method, _path: False
        self.lose_answer = False
        self.before: Callable[[str, str], None] = lambda _method, _path: None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def writes(self) -> list[tuple[str, str]]:
        """The requests that are not reading."""
        return [one for one in self.asked if one[0] not in ("GET", "HEAD")]

    def uploads(self) -> list[str]:
        """The LFS objects that were sent."""
        return [path for method, path in self.asked if method == "PUT"]


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        path, self.query = unquote(parts.path), parse_qs(parts.query)
        self.server.asked.append((self.command, path))
        self.server.before(self.command, path)
        if self.server.drop(self.command, path):
            self.close_connection = True
            self.connection.close()
            return
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        for method, pattern, name in _ROUTES:
            found = re.fullmatch(pattern, path)
            if found and self.command in method:
                getattr(self, name)(**found.groupdict())
                return
        self._error(404, f"no route {self.command} {path}")

    do_GET = do_HEAD = do_POST = do_PUT = _serve  # noqa: N815

    # The routes.

    def create(self) -> None:
        if not self._may():
            return
        asked = json.loads(self.body)
        name = "/".join(filter(None, (asked.get("organization"), asked["name"])))
        key = (asked.get("type") or "model", name)
        if key in self.server.repos:
            self._error(409, "You already created this repo")
            return
        repo = Repo(asked.get("visibility") == "private" or bool(asked.get("private")))
        repo.commit("initial commit", {".gitattributes": b"*.parquet filter=lfs\n"})
        self.server.repos[key] = repo
        self._json({"url": f"{self.server.url}/{_prefix(key[0])}{name}", "name": name})

    def validate(self) -> None:
        text = json.loads(self.body)["content"]
        head = re.match(r"---\n(.*?)\n---\n", text, re.S)
        errors = [] if head and yaml.safe_load(head[1]) else [{"message": "no YAML header"}]
        self._json({"errors": errors, "warnings": []}, 400 if errors else 200)

    def info(self, kind: str, name: str, revision: str = "main") -> None:
        repo, commit = self._find(_TYPES[kind], name, revision)
        if repo is None or commit is None:
            return
        siblings = [{"rfilename": path} for path in commit.files]
        self._json(
            {
                "id": name,
                "sha": commit.oid,
                "private": repo.private,
                "siblings": siblings,
                "tags": [],
                "downloads": 0,
                "likes": 0,
                "gated": False,
                "disabled": False,
            }
        )

    def refs(self, kind: str, name: str) -> None:
        repo, _ = self._find(_TYPES[kind], name, "main")
        if repo is None:
            return
        heads = [
            {"name": one, "ref": f"refs/heads/{one}", "targetCommit": oid}
            for one, oid in repo.branches.items()
            if not one.startswith("refs/")
        ]
        tags = [
            {"name": one, "ref": f"refs/tags/{one}", "targetCommit": oid}
            for one, oid in repo.tags.items()
        ]
        self._json({"branches": heads, "tags": tags, "converts": []})

    def tree(self, kind: str, name: str, revision: str, folder: str | None = None) -> None:
        _, commit = self._find(_TYPES[kind], name, revision)
        if commit is None:
            return
        start = f"{folder.strip('/')}/" if folder and folder.strip("/") else ""
        deep = self.query.get("recursive", ["false"])[0].lower() in ("true", "1")
        found: dict[str, Any] = {}
        for path, content in sorted(commit.files.items()):
            if not path.startswith(start):
                continue
            steps = path.removeprefix(start).split("/")
            for depth in range(1, len(steps)):
                inner = start + "/".join(steps[:depth])
                if deep or depth == 1:
                    found[inner] = {"type": "directory", "path": inner, "oid": "0" * 40, "size": 0}
            if deep or len(steps) == 1:
                found[path] = _entry(path, content)
        if start and not found:
            self._error(404, "no such folder", "EntryNotFound")
            return
        self._json(list(found.values()))

    def paths(self, kind: str, name: str, revision: str) -> None:
        _, commit = self._find(_TYPES[kind], name, revision)
        if commit is None:
            return
        if "json" in self.headers.get("Content-Type", ""):
            asked = json.loads(self.body)["paths"]
        else:
            asked = parse_qs(self.body.decode()).get("paths", [])
        files = commit.files
        found = [_entry(path, files[path]) for path in asked if path in files]
        found += [
            {"type": "directory", "path": path, "oid": "0" * 40, "size": 0}
            for path in asked
            if any(one.startswith(f"{path}/") for one in files)
        ]
        self._json(found)

    def preupload(self, kind: str, name: str, revision: str) -> None:
        if not self._may():
            return
        _, commit = self._find(_TYPES[kind], name, revision)
        if commit is None:
            return
        answer = []
        for one in json.loads(self.body)["files"]:
            large = one["path"].endswith(_LFS)
            held = commit.files.get(one["path"])
            oid = None if held is None else (_sha(held) if large else _blob(held))
            mode = "lfs" if large else "regular"
            answer.append(
                {"path": one["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid}
            )
        self._json({"files": answer})

    def batch(self, prefix: str, name: str) -> None:
        if not self._may():
            return
        answer = []
        for one in json.loads(self.body)["objects"]:
            href = f"{self.server.url}/lfs/{one['oid']}"
            actions = {} if one["oid"] in self.server.objects else {"upload": {"href": href}}
            answer.append({**one, **({"actions": actions} if actions else {})})
        self._json({"transfer": "basic", "objects": answer})

    def put(self, oid: str) -> None:
        if _sha(self.body) != oid:
            self._error(400, "hash differs")
            return
        self.server.objects[oid] = self.body
        self._json({})

    def commit(self, kind: str, name: str, revision: str) -> None:
        if not self._may():
            return
        repo, base = self._find(_TYPES[kind], name, revision)
        if repo is None or base is None:
            return
        lines = [json.loads(line) for line in self.body.splitlines() if line]
        head = next(line["value"] for line in lines if line["key"] == "header")
        if head.get("parentCommit") not in (None, base.oid):
            self._error(412, "A commit has happened since. Please refresh and try again.")
            return
        files = dict(base.files)
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                if value["oid"] not in self.server.objects:
                    self._error(400, f"LFS object {value['oid']} is missing")
                    return
                files[value["path"]] = self.server.objects[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        self._committed(_TYPES[kind], name, repo, head["summary"], files)

    def _committed(
        self, kind: str, name: str, repo: Repo, title: str, files: dict[str, bytes]
    ) -> None:
        where = f"{self.server.url}/{_prefix(kind)}{name}"
        pull = "create_pr" in self.query
        branch = "main"
        if pull:
            repo.pulls += 1
            branch = f"refs/pr/{repo.pulls}"
            repo.branches[branch] = repo.branches["main"]
        made = repo.commit(title, files, branch)
        if self.server.lose_answer:
            self.close_connection = True
            self.connection.close()
            return
        address = f"{where}/discussions/{repo.pulls}" if pull else None
        self._json(
            {
                "commitOid": made.oid,
                "commitUrl": f"{where}/commit/{made.oid}",
                "pullRequestUrl": address,
            }
        )

    def tag(self, kind: str, name: str, revision: str) -> None:
        if not self._may():
            return
        repo, commit = self._find(_TYPES[kind], name, revision)
        if repo is None or commit is None:
            return
        wanted = json.loads(self.body)["tag"]
        if wanted in repo.tags:
            self._error(409, "Tag exists")
            return
        repo.tags[wanted] = commit.oid
        self._json({})

    def resolve(self, name: str, revision: str, file: str, prefix: str | None = None) -> None:
        _, commit = self._find("dataset" if prefix else "model", name, revision)
        if commit is None:
            return
        if file not in commit.files:
            self._error(404, "Entry not found", "EntryNotFound")
            return
        content = commit.files[file]
        etag = _sha(content) if file.endswith(_LFS) else _blob(content)
        first, last = 0, len(content) - 1
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if asked:
            first, last = int(asked[1]), min(int(asked[2] or last), last)
        part = content[first : last + 1]
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.send_header("ETag", f'"{etag}"')
        self.send_header("X-Repo-Commit", commit.oid)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(part)

    # What the routes share.

    def _may(self) -> bool:
        if self.headers.get("Authorization") == f"Bearer {TOKEN}":
            return True
        self._error(401, "Invalid credentials")
        return False

    def _find(self, kind: str, name: str, revision: str) -> tuple[Repo | None, Commit | None]:
        repo = self.server.repos.get((kind, name))
        known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if repo is None or (repo.private and not known):
            self._error(404 if known else 401, "Repository not found", "RepoNotFound")
            return None, None
        commit = repo.at(revision)
        if commit is None:
            self._error(404, "Revision not found", "RevisionNotFound")
        return repo, commit

    def _error(self, status: int, text: str, code: str | None = None) -> None:
        body = json.dumps({"error": text}).encode()
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
            self.send_header("X-Error-Message", text)
        self._finish(body)

    def _json(self, value: Any, status: int = 200) -> None:
        self.send_response(status)
        self._finish(json.dumps(value).encode())

    def _finish(self, body: bytes) -> None:
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _prefix(kind: str) -> str:
    return "datasets/" if kind == "dataset" else ""


def _entry(path: str, content: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "type": "file",
        "path": path,
        "size": len(content),
        "oid": _blob(content),
    }
    if path.endswith(_LFS):
        entry["lfs"] = {"oid": _sha(content), "size": len(content), "pointerSize": 130}
    return entry


_API = r"/api/(?P<kind>datasets|models)/(?P<name>[^/]+/[^/]+)"
_REV = r"/(?P<revision>[^/]+|refs/pr/\d+)"
_ROUTES = (
    (("POST",), "/api/repos/create", "create"),
    (("POST",), "/api/validate-yaml", "validate"),
    (("GET",), _API, "info"),
    (("GET",), _API + "/revision" + _REV, "info"),
    (("GET",), _API + "/refs", "refs"),
    (("GET",), _API + "/tree" + _REV + "(?P<folder>/.*)?", "tree"),
    (("POST",), _API + "/paths-info" + _REV, "paths"),
    (("POST",), _API + "/preupload" + _REV, "preupload"),
    (("POST",), _API + "/commit" + _REV, "commit"),
    (("POST",), _API + "/tag" + _REV, "tag"),
    (("PUT",), "/lfs/(?P<oid>[0-9a-f]{64})", "put"),
    (
        ("POST",),
        r"/(?P<prefix>datasets/)?(?P<name>[^/]+/[^/]+)\.git/info/lfs/objects/batch",
        "batch",
    ),
    (
        ("GET", "HEAD"),
        r"/(?P<prefix>datasets/)?(?P<name>[^/]+/[^/]+)/resolve" + _REV + "/(?P<file>.+)",
        "resolve",
    ),
)
