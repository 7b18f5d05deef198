"""prefloop deps: rewrite the code dependencies of dvc.yaml from the stages' imports."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from pipelines.shared.graph import rewrite

TASK = "keep the project true"


def main(argv: Sequence[str]) -> int:
    """Rewrite dvc.yaml in place and say which stages changed."""
    argparse.ArgumentParser(prog="prefloop deps", description=__doc__).parse_args(argv)
    changed = rewrite(Path("dvc.yaml"))
    print(f"dvc.yaml: {', '.join(changed) if changed else 'nothing to change'}")
    return 0
