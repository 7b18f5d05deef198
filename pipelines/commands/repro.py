"""prefloop repro: check the recipe, run `dvc repro`, put lost outputs back on failure.

DVC removes a stage's outputs before it runs it. A recipe that cannot work is therefore refused
before DVC starts, and after a failed stage its last good outputs are checked out of the cache.
Every other argument goes to `dvc repro`: targets, -f, -s and the rest of its flags.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.shared import asking
from pipelines.shared.recipes import IN_PLACE, checked

TASK = "build"

SETTINGS = {
    "DVC_NO_ANALYTICS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONHASHSEED": "0",
}


def main(argv: Sequence[str]) -> int:
    """Run `dvc repro ARGS` on a recipe that was checked; exit code 2 on bad input or a failure."""
    _, given = asking.parser("repro", __doc__, build=False).parse_known_args(argv)
    if bad := asking.guard("repro", _checked):
        return bad
    env = environment()
    code = subprocess.run(["dvc", "repro", *given], env=env, check=False).returncode
    if code == 0:
        return 0
    subprocess.run(["dvc", "checkout", "--quiet"], env=env, check=False, stderr=subprocess.DEVNULL)
    print("repro: a stage failed (see above); the last good outputs are in place", file=sys.stderr)
    return 2


def _checked() -> None:
    checked(IN_PLACE)


def environment() -> dict[str, str]:
    """This environment with the interpreter's folder first on PATH and no telemetry."""
    here = str(Path(sys.executable).parent)
    return {**os.environ, **SETTINGS, "PATH": f"{here}{os.pathsep}{os.environ.get('PATH', '')}"}
