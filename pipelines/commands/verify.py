"""prefloop verify: what of a build is proven, what is recorded only, and what differs.

Every output and input in dvc.lock is read and hashed again, every table's own digest too;
parameters and code are held against those that each stage ran with. Then the stages that only
handle tables (rules, mixes, pairs, histories, gates) are run again in a scratch folder, and must
give the recorded bytes. What a model made (sampled text, rewards, weights) is recorded only:
--also NAME runs such a stage again too, at its own price, where its arithmetic repeats.

Run: prefloop verify [--quick] [--also score ...]

The exit code is 1 where anything differs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from curation.audit.text import table
from curation.publish import lock as locks
from curation.publish.lock import Lock
from pipelines.shared import asking, proof
from pipelines.shared.proof import Fault

TASK = "ask a build"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0 where nothing differs, 1 where something does, 2 on bad input."""
    parser = asking.parser("verify", __doc__, build=False)
    parser.add_argument("--lock", type=Path, default=Path("dvc.lock"), metavar="FILE")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="hash only; run no stage again")
    parser.add_argument(
        "--also", nargs="+", default=[], metavar="STAGE", help="run these again too, such as score"
    )
    args = parser.parse_args(argv)
    found: list[Fault] = []
    code = asking.guard("verify", lambda: found.extend(_body(args)))
    return code or int(bool(found))


def _body(args: argparse.Namespace) -> list[Fault]:
    lock = locks.load(args.lock)
    again = [] if args.quick else proof.derivable(lock, frozenset(args.also))
    found = list(proof.faults(lock, args.params))
    print(f"hashed again: the outputs and inputs of {len(lock.stages)} stages", flush=True)
    found += _derived(lock, again)
    _report(lock, again, found)
    return found


def _derived(lock: Lock, again: Sequence[str]) -> list[Fault]:
    found: list[Fault] = []
    with asking.scratch() as folder:
        for place, stage in enumerate(again, start=1):
            faults = list(proof.derive(lock, stage, folder / str(place)))
            found += faults
            told = "differs" if faults else "the same bytes"
            print(f"[{place}/{len(again)}] {stage}: {told}", file=sys.stderr, flush=True)
    return found


def _modes(lock: Lock) -> Counter[str]:
    """How many models of the build were made under each mode of determinism, by their cards."""
    outs = [out["path"] for stage in lock.stages.values() for out in stage.get("outs", [])]
    cards = [lock.path.parent / path / "prefloop.json" for path in sorted(outs)]
    told = [json.loads(card.read_text("utf-8")) for card in cards if card.is_file()]
    return Counter(card.get("determinism", "a machine that is not recorded") for card in told)


def _report(lock: Lock, again: Sequence[str], found: Sequence[Fault]) -> None:
    wrong = {one.stage for one in found}
    proven = [name for name in again if name not in wrong]
    only = [name for name in lock.stages if name not in again and name not in wrong]
    rows = [
        ("derived", len(proven), "run again: the same bytes"),
        ("recorded", len(only), "the bytes that were recorded; not run again"),
        ("differs", len(wrong), "see below" if wrong else ""),
    ]
    print(table(("stages", "number", "what is known"), rows))
    for mode, count in sorted(_modes(lock).items()):
        print(f"{count} models made on {mode}")
    if found:
        named = [(one.stage, one.where, one.why) for one in found]
        print("\n" + table(("stage", "what", "differs"), named, 100))
