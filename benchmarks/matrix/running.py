"""Combinations run one after the other, each in a folder of its own; finished rows are kept."""

from __future__ import annotations

import contextlib
import gc
import json
import shutil
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.matrix import checks, flow
from benchmarks.matrix.combinations import Combination
from benchmarks.matrix.packages import NotInstalledError


@dataclass
class Row:
    """What the matrix tells of one combination.

    Attributes:
        verdict: holds, differs, refused, failed, or not installed.
        says: the refusal, or the first thing that is wrong.
        seen: as `checks.Found` has it.
        contract: promises of the contract that are noted or broken, by name.
        expected: whether the verdict is the one that there should be.
        code: hash of the code that made it.
    """

    name: str
    tokenizer: str
    template: str
    architecture: str
    verdict: str = "failed"
    says: str = ""
    seen: dict[str, Any] = field(default_factory=dict)
    contract: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    expected: bool = False
    code: str = ""


def run(combination: Combination, folder: Path) -> Row:
    """Try one combination; what is wrong with it is in its row, and nothing is raised."""
    row = Row(
        combination.name, combination.tokenizer, combination.template, combination.architecture
    )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    started = time.process_time()
    with contextlib.chdir(folder):
        try:
            _tried(combination, row)
        except flow.RefusedError as refusal:
            row.verdict, row.says = "refused", str(refusal)
        except NotInstalledError as missing:
            row.verdict, row.says = "not installed", str(missing)
        except Exception as error:  # one row that fails is a verdict, the others go on
            row.says = f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
    row.seconds = round(time.process_time() - started, 1)
    wanted = "holds" if combination.refused is None else "refused"
    row.expected = row.verdict == wanted and (combination.refused or "") in row.says
    shutil.rmtree(folder, ignore_errors=True)
    gc.collect()
    return row


def _tried(combination: Combination, row: Row) -> None:
    flow.publish(combination)
    row.contract = _contract()
    flow.run()
    found = checks.check()
    wrong = found.judged()
    row.seen = asdict(found)
    row.verdict, row.says = ("differs", wrong[0]) if wrong else ("holds", "")


def _contract() -> dict[str, str]:
    from training.core import contract

    return {
        one.promise: f"{one.verdict}: {one.detail}"
        for one in contract.check(flow.START)
        if one.verdict != "holds"
    }


def kept(file: Path, key: str | None) -> Row | None:
    """A row that the same code has finished before; of any code where the key is None."""
    if not file.is_file():
        return None
    told = json.loads(file.read_text("utf-8"))
    return Row(**told["row"] | {"code": told["key"]}) if key in (None, told["key"]) else None


def keep(file: Path, key: str, row: Row) -> None:
    """Keep a finished row for the next run."""
    row.code = key
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"key": key, "row": asdict(row)}, ensure_ascii=False), "utf-8")
