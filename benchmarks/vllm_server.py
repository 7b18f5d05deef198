"""A real vLLM server on loopback, on the CPU build, for as long as a block needs it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def vllm_server(model: Path, *flags: str) -> Iterator[str]:
    """Serve a model under its folder's name; yields the address, /v1 included.

    About a minute of CPU to start: one server for all tests of a module.

    Raises:
        RuntimeError: the server ended, or did not answer within an hour.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    told = ["--model", str(model), "--served-model-name", model.name]
    told += ["--host", "127.0.0.1", "--port", str(port), "--dtype", "float32", "--enforce-eager"]
    quiet = {"VLLM_LOGGING_LEVEL": "ERROR", "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1"}
    server = subprocess.Popen(
        # what `vllm serve` runs; its command line asks for package data that the CPU build lacks
        [sys.executable, "-m", "vllm.entrypoints.openai.api_server", *told, *flags],
        env={**os.environ, **quiet, "VLLM_CPU_KVCACHE_SPACE": "1"},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(server, f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        with suppress(subprocess.TimeoutExpired):
            server.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)  # the engine's own process too
        server.wait()


def _wait(server: subprocess.Popen[bytes], health: str) -> None:
    deadline = time.monotonic() + 3600
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError("vLLM's server has ended")
        try:
            with urllib.request.urlopen(health, timeout=60):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise RuntimeError("vLLM's server did not start")
