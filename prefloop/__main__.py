"""python -m prefloop, and what the script prefloop runs."""

from __future__ import annotations

import sys


def main() -> int:
    """Run one command; returns its exit code. Nothing that Windows lacks is imported there."""
    if sys.platform == "win32":
        print("prefloop: runs on Linux and macOS; on Windows use WSL", file=sys.stderr)
        return 2
    from pipelines import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
