"""The hashes of code that DVC records, and whether the code that runs is still theirs."""

from __future__ import annotations

import json
import os
from pathlib import Path

from curation.core.errors import UserError
from curation.gates.folders import FOLDERS, folders_of
from pipelines.core.code import ROOT, Code

HASHES = Path("data/code.json")  # written by the stage `code`, named by every other in dvc.yaml
Hash = str | dict[str, str]
# Neither is spelt out: every stage reaches this file, and the names would count as reading them.
_GATE = ".".join(("pipelines", "stages", "gate"))
_CHECKS = ".".join(("curation", "gates"))


def hash_of(code: Code, module: str) -> Hash:
    """A module's hash; of the gate one per table, for it reads the checks of that table alone.

    Raises:
        ValueError: there is no such module, or its code can't be followed.
    """
    if module != _GATE:
        return code.sha(module)
    only = {table: [f"checks/{name}" for name in folders_of(table)] for table in FOLDERS}
    return {table: code.sha(module, {_CHECKS: only[table]}) for table in FOLDERS}


def same_code(module: str) -> None:
    """Refuse to run, under DVC, other code than the hash that DVC will record for the outputs.

    It is other code after an edit while DVC runs, and in `dvc repro --single-item` after an edit.

    Raises:
        UserError: the hash is of other code.
    """
    if "DVC_STAGE" not in os.environ or not HASHES.is_file():
        return
    told = json.loads(HASHES.read_text("utf-8")).get(module.rpartition(".")[2])
    if told is not None and told != hash_of(Code(ROOT), module):
        raise UserError(
            f"{HASHES}: the code of {module} has changed since; run prefloop repro, "
            "which begins with the stage code"
        )
