"""A loopback server of JSON, in threads, for tests of what asks an OpenAI-compatible endpoint."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Loopback(BaseHTTPRequestHandler):
    """Serves one model, m; what to answer to a call is the subclass's."""

    def answer(self, call: dict[str, Any]) -> None:
        """Answer the body of a request, by `send`."""
        raise NotImplementedError

    def do_POST(self) -> None:
        self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def do_GET(self) -> None:
        models = {"object": "list", "data": [{"id": "m", "object": "model", "created": 0}]}
        self.send(200, models)

    def send(self, code: int, value: dict[str, Any] | bytes) -> None:
        """Send a JSON object, or bytes as they are; a refused client is told to come back soon."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json" if body[:1] == b"{" else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("retry-after-ms", "5")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


def chat(text: str, finish: str = "stop", logprobs: Any = None) -> dict[str, Any]:
    """A chat completion of one choice."""
    choice = {"index": 0, "finish_reason": finish, "logprobs": logprobs}
    choice["message"] = {"role": "assistant", "content": text}
    head = {"id": "1", "object": "chat.completion", "created": 0, "model": "m"}
    return {**head, "choices": [choice]}


@contextmanager
def serving(handler: type[Loopback]) -> Iterator[str]:
    """Serve while the context lasts; yields the address, /v1 included."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()
