"""Check the recipe, then write one hash of code per stage: what dvc.yaml names among its params.

Beside the hashes stand, under `pins`, the commits and hashes that the recipe's models are held to.

Run: python -m pipelines.stages.code --hashes data/code.json --params params.yaml [MODULE ...]

DVC does not follow imports. A stage that names its hash runs again exactly when a file it can
reach has changed. A gate has a hash per table: it reads the checks of that table alone. MODULE is a
dotted name; without one, every module of pipelines.stages is hashed, under its last name.

Every other stage depends on this one, so nothing that a recipe names has come near a shell before
the recipe is known to be valid.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from pipelines.core.code import PACKAGES, ROOT, Code
from pipelines.core.params import Params, load
from pipelines.core.recorded import Hash, hash_of
from pipelines.shared import model_pins


def main(argv: Sequence[str] | None = None) -> int:
    """Write the file whole; the exit code, 2 for a wrong recipe or code that can't be followed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hashes", type=Path, required=True, metavar="FILE")
    parser.add_argument("--params", type=Path, metavar="FILE", help="the recipe to check")
    parser.add_argument("module", nargs="*", metavar="MODULE")
    args = parser.parse_args(argv)
    try:
        pinned = {} if args.params is None else {"pins": pins(load(args.params))}
        found = hashes(ROOT, args.module or stages(ROOT)) | pinned
    except (UserError, ValueError, SyntaxError, OSError) as error:
        print(f"code: {error}", file=sys.stderr)
        return 2
    _write(args.hashes, found)
    print(f"code: {len(found)} hashes")
    return 0


def stages(root: Path) -> list[str]:
    """The modules of pipelines.stages, but for this one."""
    names = sorted(path.stem for path in (root / "pipelines/stages").glob("*.py"))
    return [f"pipelines.stages.{name}" for name in names if name not in {"__init__", "code"}]


def hashes(root: Path, modules: Sequence[str]) -> dict[str, Hash]:
    """Each module's last name -> its hash; for the gate, table -> hash.

    Raises:
        ValueError: there is no such module, or it finds files in a way that can't be followed.
    """
    code = Code(root, [*PACKAGES, *{name.partition(".")[0] for name in modules} - {*PACKAGES}])
    return {name.rpartition(".")[2]: hash_of(code, name) for name in modules}


def pins(params: Params) -> dict[str, Any]:
    """What the recipe's models are pinned to, so that another pin runs again what reads the model.

    Raises:
        UserError: the file of pins holds something else for one.
    """
    return {
        "base": model_pins.pin(params.base.uri, params.base.revision),
        "prompts": model_pins.pin(params.prompts.map_model, params.prompts.map_revision),
        "models": {
            name: model_pins.pin(one.uri, one.revision) for name, one in params.models.items()
        },
    }


def _write(path: Path, found: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temp = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temp.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", "utf-8")
    temp.replace(path)


if __name__ == "__main__":
    sys.exit(main())
