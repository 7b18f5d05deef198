"""DVC with a quicker way to write dvc.lock: `python -m pipelines.quick_dvc repro ...`.

After every stage DVC reads and writes the whole of dvc.lock by a YAML library in Python: 1.4 s for
the 8,000 lines of the shipped graph, four fifths of all that DVC does. Here the entry of the stage
alone goes through that library, and the other lines stay as they are: the same bytes.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.core.io import atomic

_HEAD = "schema: '2.0'\nstages:\n"
_ENTRY = re.compile(r"^  (?=[^\s#])", re.MULTILINE)


def main(argv: Sequence[str] | None = None) -> int:
    """Run DVC's own command line; returns its exit code."""
    from dvc import dvcfile
    from dvc.cli import main as dvc
    from dvc.stage.serialize import to_lockfile

    whole = dvcfile.Lockfile.dump_stages

    def dump_stages(lock: Any, stages: Sequence[Any], **options: Any) -> None:
        """Write entries of stages; a file that DVC has not written itself is left to DVC."""
        file = Path(lock.path)
        old = file.read_text("utf-8") if file.is_file() else ""
        entries = [to_lockfile(stage, **options) for stage in stages]
        new = with_entries(old, entries)
        if new is None:
            whole(lock, stages, **options)
        elif new != old:
            dvcfile.logger.info("Updating lock file '%s'", lock.relpath)
            with atomic(file) as temp:
                temp.write_text(new, "utf-8")
            lock.repo.scm_context.track_file(lock.relpath)

    dvcfile.Lockfile.dump_stages = dump_stages
    return int(dvc(list(sys.argv[1:] if argv is None else argv)))


def with_entries(text: str, entries: Sequence[dict[str, Any]]) -> str | None:
    """A lock file's text with these stages' entries in place, or added at its end.

    Returns:
        None where the text is not of the one form that DVC writes.
    """
    from dvc.utils.serialize import dumps_yaml

    start, *blocks = _ENTRY.split(text)
    if start != _HEAD or any(
        re.search(r"^(?! {4})", block, re.MULTILINE) for block in _rest(blocks)
    ):
        return None
    found = {block.partition("\n")[0]: block for block in blocks}
    for entry in entries:
        made = dumps_yaml({"stages": entry}).removeprefix("stages:\n  ")
        found[made.partition("\n")[0]] = made
    return _HEAD + "".join(f"  {block}" for block in found.values())


def _rest(blocks: Sequence[str]) -> list[str]:
    """The lines of each block below its first."""
    return [block.partition("\n")[2].removesuffix("\n") for block in blocks]


if __name__ == "__main__":
    sys.exit(main())
