"""The process a model runs in: quiet libraries, no telemetry, repeatable arithmetic."""

from __future__ import annotations

import ctypes
import os
import sys
import warnings
from importlib.metadata import version

_ALWAYS = {
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # cuBLAS is repeatable only with a fixed workspace
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # Waiting threads spin for a moment, then sleep. By default they spin on, and with one busy
    # neighbour a step of a tiny model on two cores took 20 times as long as on one; sleeping at
    # once costs half the speed of two idle cores.
    "GOMP_SPINCOUNT": "5000",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
    "TRL_EXPERIMENTAL_SILENCE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "TQDM_DISABLE": "1",
}

# numbers of malloc.h: M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD
_MALLOC = {-1: 2**31 - 1, -2: 64 << 20, -3: 1 << 30}


def prepare(*, offline: bool = True) -> None:
    """Set up this process before the first import of a model library.

    Args:
        offline: refuse every look-up on the hub; only the ``base`` stage needs one.
    """
    for name, value in _ALWAYS.items():
        os.environ.setdefault(name, value)
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"
    warnings.filterwarnings("ignore")
    _keep_memory()
    _transformers()
    _repeatable()


def _keep_memory() -> None:
    """Let freed memory be used again; by default each large tensor is mapped and cleared anew.

    In training a tiny model that was a third of all CPU time. glibc only; others go without.
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        for option, size in _MALLOC.items():
            mallopt(option, size)


def _transformers() -> None:
    """No bars, and no scikit-learn and SciPy as far as transformers can see: 2 s less a stage.

    It imports them for assisted decoding and object detection alone, and asks once whether they
    are there. Our own imports of them work as before.
    """
    hidden = [name for name in ("sklearn", "scipy") if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: cannot be found
    try:
        from transformers.utils import import_utils, logging

        # What was imported before this call has read the environment already.
        logging.disable_progress_bar()
        import_utils.is_sklearn_available()  # they remember what they have found
        import_utils.is_scipy_available()
    finally:
        for name in hidden:
            del sys.modules[name]


def _repeatable() -> None:
    import torch

    # A kernel without a repeatable form is an error on the CPU; GPUs have a few that only warn.
    # (`use_deterministic_algorithms` is the same, but imports the compiler: 2 s for nothing.)
    torch.set_deterministic_debug_mode("warn" if torch.cuda.is_available() else "error")
    # Otherwise each new tensor is filled with NaN before it is written: a fifth of a small step.
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", cores())))


def rank() -> int:
    """Number of this process among those that train together; 0 where it is alone."""
    return int(os.environ.get("RANK", "0")) if world() > 1 else 0


def world() -> int:
    """Number of processes that train together, as `accelerate launch` has set it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def arithmetic() -> dict[str, str]:
    """What the last bits of training depend on besides its data and settings."""
    versions = {name: version(name) for name in ("torch", "transformers", "trl", "peft")}
    return {**versions, "device": device(), "processes": str(world())}


def determinism() -> str:
    """What the bytes that this process computes repeat on, in words, for a checkpoint's card."""
    import torch

    if device() == "cpu":
        units = torch.backends.cpu.get_cpu_capability()
        return f"cpu, {units}: the same bytes on a CPU that computes with these vector units"
    if torch.are_deterministic_algorithms_enabled():
        name = torch.cuda.get_device_name()
        return f"cuda, {name}: deterministic kernels where there are any, else recorded only"
    return "cuda: recorded only"


def cores() -> int:
    """Number of CPU cores this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)  # macOS has none
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def device() -> str:
    """Where models run: cuda when a GPU is visible, else cpu."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
