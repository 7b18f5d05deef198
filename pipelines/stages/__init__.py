"""One file = one stage of dvc.yaml: typed arguments -> read -> call -> write.

May import `shared`, `core`, `curation` and `training`; no stage imports another, or a command.
Start with mix.py (a table stage) and dpo.py (a model stage).
"""

import sys
from importlib.util import find_spec

# Said here, before anything that is missing is imported: DVC runs whatever Python is on PATH.
if sys.platform == "win32":
    raise SystemExit("prefloop: runs on Linux and macOS; on Windows use WSL")
if find_spec("polars") is None:
    raise SystemExit(
        f"prefloop: {sys.executable} has none of what a stage needs: activate the environment that "
        "prefloop is installed in, or run prefloop repro, which finds it"
    )
