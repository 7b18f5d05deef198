"""Joining a Ray cluster, or starting one on this machine that leaves no process behind."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from pipelines.core import code
from pipelines.core.params.placement import Placement
from training.core import environment

LOCAL = "local"
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_raylet_start_wait_time_s": "180",  # a busy machine starts slowly
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


class Cluster:
    """The cluster this process works with until it leaves.

    Attributes:
        ray: the library, imported here alone.

    Raises:
        UserError: ray is not installed, or there is no such cluster.
    """

    def __init__(self, wanted: Placement) -> None:
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        try:
            import ray
        except ImportError as error:
            raise UserError(
                "placement.ray: ray is not installed here; pip install 'prefloop[ray]', or set "
                "placement.ray to null"
            ) from error
        self.ray: Any = ray
        self._cpus = wanted.cpus
        self._reaper: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if wanted.ray == LOCAL:
            options |= self._alone()
        else:
            options |= {"address": wanted.ray, "runtime_env": _code()}
            _answers(str(wanted.ray))
        try:
            ray.init(**options)
        except (ConnectionError, RuntimeError, ValueError) as error:
            self.leave()
            first = (str(error).splitlines() or [repr(error)])[0]
            raise UserError(f"placement.ray: {wanted.ray}: no cluster to join ({first})") from error

    def _alone(self) -> dict[str, Any]:
        """A cluster on this machine alone, in a folder of its own by which its processes are found.

        Ray's helpers outlive a driver that was killed, by minutes; a process of ours ends them.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="prefloop-ray-"))
        self._reaper = subprocess.Popen(
            [sys.executable, "-m", "pipelines.shared.reaper", str(self._folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        return {
            "address": LOCAL,
            "num_cpus": environment.cores(),
            "include_dashboard": False,
            "_temp_dir": str(self._folder),
        }

    def room(self, gpus: int) -> int:
        """How many engines of so many GPUs each the cluster has room for; 1 where it has none."""
        return max(1, int(self.ray.cluster_resources().get("GPU", 0)) // gpus)

    def options(self, gpus: int, replicas: int) -> dict[str, Any]:
        """What one actor asks for."""
        have = self.ray.cluster_resources()
        cpus = self._cpus or max(1, int(have.get("CPU", 1)) // replicas)
        asked = {"num_cpus": cpus, "max_restarts": 0, "max_task_retries": 0}
        return asked | ({"num_gpus": gpus} if have.get("GPU", 0) else {})

    def actor(self, kind: type, options: dict[str, Any], *args: Any) -> Any:
        """A new actor; on CPUs it computes with the cores that it has asked for."""
        threads = None if "num_gpus" in options else str(options["num_cpus"])
        return self.ray.remote(kind).options(**options).remote(*args, threads)

    def told(self) -> str:
        """What the cluster has, in words."""
        have = self.ray.available_resources()
        return f"free in the cluster: {have.get('CPU', 0):g} CPUs, {have.get('GPU', 0):g} GPUs"

    def leave(self) -> None:
        """Leave it; one that was started here is ended, down to its last process."""
        self.ray.shutdown()
        if self._reaper is not None:
            self._reaper.communicate()
            self._reaper = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _answers(address: str) -> None:
    """Look whether anything listens at a cluster's address: Ray's own client ends the process.

    Raises:
        UserError: nothing does, or auto names no cluster.
    """
    named = os.environ.get("RAY_ADDRESS", "") if address == "auto" else address
    known = Path(tempfile.gettempdir()) / "ray" / "ray_current_cluster"  # of `ray start` here
    if address == "auto" and not named and known.is_file():
        named = known.read_text("utf-8").strip()
    if named.startswith("ray://"):
        raise UserError("placement.ray: name the head as HOST:PORT; ray:// is Ray's other client")
    host, _, port = named.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=10):
            return
    except (OSError, ValueError) as error:
        told = f"{address}: no cluster to join ({named or 'none is named'}: {error})"
        raise UserError(f"placement.ray: {told}") from error


def _code() -> dict[str, Any]:
    """The code that nodes need; checkpoints they read from the disk that all of them mount."""
    return {"py_modules": [str(code.ROOT / name) for name in code.PACKAGES]}
