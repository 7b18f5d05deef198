"""prefloop review: queue pairs for people, record and count their decisions.

Run: prefloop review queue                      pairs worth a look, most first
     prefloop review decide PAIR flip --reviewer ann
     prefloop review status                     decisions, what they settle, agreement
     prefloop review export --out records.json  to Argilla's JSON records
     prefloop review import records.json        and back; --name USER_ID=ann names its users

Decisions go to DATA/reviews/NAME.parquet, which the pair stage reads. prefloop ui shows the same
queue blind to which side is chosen.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from curation.audit.connect import open_build
from curation.audit.text import table
from curation.core.errors import UserError
from curation.review import argilla, queue, sides
from curation.review.agreement import agreement
from curation.review.decisions import DECISIONS, decided_ids, disputed, latest, settled
from pipelines.core.outputs import atomic, rounded
from pipelines.shared import asking, reviews

TASK = "try another pairing, and look"

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one of the subcommands and return its exit code."""
    parser = asking.parser("review", __doc__)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _queue_flags(actions.add_parser("queue", help="pairs worth a look, most first"))
    decide = actions.add_parser("decide", help="record one decision")
    decide.add_argument("pair")
    decide.add_argument("decision", choices=DECISIONS)
    decide.add_argument("--reviewer", required=True)
    decide.add_argument("--note", default="")
    status = actions.add_parser("status", help="decisions, what they settle, agreement")
    status.add_argument("--json", action="store_true")
    _queue_flags(export := actions.add_parser("export", help="write Argilla's JSON records"))
    export.add_argument("--out", type=Path, required=True, metavar="FILE")
    export.add_argument("--suggest", action="store_true", help="show the judge's choice")
    back = actions.add_parser("import", help="read Argilla's JSON records with responses")
    back.add_argument("file", type=Path)
    back.add_argument("--name", action="append", default=[], metavar="USER_ID=NAME")
    back.add_argument("--at", default=None, metavar="TIME", help="time to record (now)")
    args = parser.parse_args(argv)
    bodies = {
        "queue": _queue,
        "decide": _decide,
        "status": _status,
        "export": _export,
        "import": _import,
    }
    return asking.guard("review", lambda: bodies[args.action](args))


def _queue_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--iteration")
    parser.add_argument("--reviewer", help="leave out what this reviewer decided (anyone)")
    parser.add_argument("--limit", type=int, default=20)
    if parser.prog.endswith("queue"):
        parser.add_argument("--json", action="store_true")


def _ranked(args: argparse.Namespace) -> pl.DataFrame:
    done = decided_ids(reviews.read(args.data / "reviews"), args.reviewer)
    con = open_build(args.data)
    try:
        found = queue.reasons(con)
    finally:
        con.close()
    return queue.ranked(found, iteration=args.iteration, done=done, limit=args.limit)


def _queue(args: argparse.Namespace) -> None:
    found = _ranked(args)
    if args.json:
        print(json.dumps(rounded(found.drop("waiting").to_dicts()), indent=1))
        return
    rows = [
        (row["iteration"], row["pair_id"], row["worth"], queue.because(row), row["margin"],
         row["length_gap"], " ".join(row["flags"]))
        for row in found.to_dicts()
    ]  # fmt: skip
    print(table(["iteration", "pair", "worth", "because", "margin", "length gap", "flags"], rows))
    waiting = found["waiting"][0] if found.height else 0
    print(f"\n{waiting:,} pairs wait; prefloop ui shows them one by one")


def _decide(args: argparse.Namespace) -> None:
    con = open_build(args.data)
    try:
        pair = sides.one(con, args.pair)
    finally:
        con.close()
    row = pair.row(args.decision, reviews.reviewer_name(args.reviewer), reviews.now(), args.note)
    reviews.append(args.data / "reviews", row)
    print(f"{args.pair}: {args.decision} by {args.reviewer}; the next dvc repro applies it")


def _status(args: argparse.Namespace) -> None:
    rows = reviews.read(args.data / "reviews")
    verdicts, found = settled(rows), agreement(rows)
    last = latest(rows)
    counts = last.group_by("reviewer", "decision").len().sort("reviewer", "decision").rows()
    dropped = verdicts.filter(verdict="drop").height
    report = {
        **found,
        "decisions": [{"reviewer": a, "decision": b, "pairs": n} for a, b, n in counts],
        "settled": verdicts.height,
        "settled_drops": dropped,
        "disputed": disputed(rows),
    }
    if args.json:
        print(json.dumps(rounded(report), indent=1))
        return
    print(table(["reviewer", "decision", "pairs"], counts))
    print(
        f"\n{report['settled']} comparisons settled ({dropped} of them drops), "
        f"{report['disputed']} disputed: there the judge's order stands"
    )
    if found["pairs"]:
        print(_agreement(found))


def _agreement(found: dict[str, Any]) -> str:
    keys = ("a", "b", "shared", "same", "kappa")
    names = ("reviewer", "and", "both decided", "same answer", "Cohen's kappa")
    rows = [[one[key] for key in keys] for one in found["pairs"]]
    value = "undefined" if found["alpha"] is None else f"{found['alpha']:.3f}"
    return f"\n{table(names, rows)}\n\nKrippendorff's alpha: {value}"


def _export(args: argparse.Namespace) -> None:
    ids = _ranked(args)["pair_id"].to_list()
    con = open_build(args.data)
    try:
        shown = {pair.pair_id: pair for pair in sides.look(con, ids)}
    finally:
        con.close()
    found = argilla.records([shown[name] for name in ids], args.suggest)
    with atomic(args.out) as temp:
        temp.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(f"{args.out}: {len(found)} records")


def _import(args: argparse.Namespace) -> None:
    names = dict(_named(given) for given in args.name)
    at = args.at or reviews.now()
    if not _TIME.fullmatch(at):
        raise UserError(f"--at {at}: give UTC as 2026-01-31T12:00:00.000000Z")
    con = open_build(args.data)
    try:
        rows, left = argilla.decisions(con, _records(args.file), at, names)
    finally:
        con.close()
    new = reviews.append(args.data / "reviews", rows)
    out = ", ".join(f"{count} {reason}" for reason, count in left.items() if count)
    print(f"{args.file}: {new} decisions recorded{'; left out: ' + out if out else ''}")


def _named(given: str) -> tuple[str, str]:
    user, equals, name = given.partition("=")
    if not (user and equals):
        raise UserError(f"--name {given}: give USER_ID=NAME")
    return user, reviews.reviewer_name(name)


def _records(file: Path) -> list[Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise UserError(f"{file}: not JSON ({error}); give Argilla's records.to_json") from error
    if not isinstance(found, list):
        raise UserError(f"{file}: not a list of records; give what Argilla's to_json wrote")
    return found
