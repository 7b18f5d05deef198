"""prefloop repro: check the recipe, run `dvc repro`, put lost outputs back on failure.

DVC removes a stage's outputs before it runs it. A recipe that cannot work is therefore refused
before DVC starts, and after a failed stage its last good outputs are checked out of the cache.
Every other argument goes to `dvc repro`: targets, -f, -s and the rest of its flags.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from curation.core.errors import UserError
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
    _, given = argparse.ArgumentParser(
        prog="prefloop repro", description=__doc__, allow_abbrev=False
    ).parse_known_args(argv)
    try:
        checked(IN_PLACE)
    except UserError as error:
        print(f"repro: {error}", file=sys.stderr)
        return 2
    env = environment()
    code = subprocess.run(["dvc", "repro", *given], env=env, check=False).returncode
    if code == 0:
        return 0
    subprocess.run(["dvc", "checkout", "--quiet"], env=env, check=False, stderr=subprocess.DEVNULL)
    print("repro: a stage failed (see above); the last good outputs are in place", file=sys.stderr)
    return 2


def environment() -> dict[str, str]:
    """This environment with the interpreter's folder first on PATH and no telemetry."""
    here = str(Path(sys.executable).parent)
    return {**os.environ, **SETTINGS, "PATH": f"{here}{os.pathsep}{os.environ.get('PATH', '')}"}
