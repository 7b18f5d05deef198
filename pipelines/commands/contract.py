"""prefloop contract: whether a model would be trained on the tokens that it samples.

Run: prefloop contract MODEL

MODEL is a folder. Only its tokenizer, template and configurations are read; a broken promise exits
with 2.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from curation.audit.text import table
from curation.core.errors import UserError
from pipelines.shared import asking

TASK = "measure judges and policies"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="prefloop contract",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help="a checkpoint's folder")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args(argv)
    return asking.guard("contract", lambda: _body(args.model, args.json))


def _body(model: Path, as_json: bool) -> None:
    from training.core import environment

    environment.prepare()
    from training.core import contract

    found = contract.check(model)
    if as_json:
        print(json.dumps(contract.report(found), indent=1, ensure_ascii=False))
    else:
        rows = [(one.promise, one.verdict, one.detail) for one in found]
        print(table(("promise", "verdict", "what was seen"), rows, 160))
    if wrong := contract.broken(found):
        raise UserError(f"{model}: {contract.complaint(wrong)}")


if __name__ == "__main__":
    sys.exit(main())
