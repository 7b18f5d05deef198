"""prefloop publish: put tables or a checkpoint on the Hub, with a card.

Run: prefloop publish --repo ORG/NAME [--checkpoint iter3]

Tables become Parquet in the Hub's layout, one config per table and iteration, with a card written
from dvc.lock and the tables, and Croissant metadata. Licences are combined, texts are scanned for
secrets and e-mail addresses, and all goes up in one commit; what is there already is not sent
again. The token comes from HF_TOKEN or `hf auth login`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from curation.audit.text import table
from curation.core.errors import UserError
from curation.publish import dataset, layout, model, scan
from curation.publish.bundle import Bundle, Origin, Wish
from curation.rules import kinds
from pipelines.core import params
from pipelines.core.outputs import atomic
from pipelines.core.scratch import scratch
from pipelines.shared import asking, hub

TASK = "hand over"

_CODE = ("pipelines", "curation", "training", "dvc.yaml", "params.yaml")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = asking.parser("publish", __doc__)
    parser.add_argument("--repo", required=True, metavar="ORG/NAME")
    parser.add_argument(
        "--tables",
        nargs="+",
        metavar="TABLE",
        help=f"of {', '.join(layout.TABLES)}, or single configs such as pairs_iter1 "
        f"(default: {' '.join(layout.DEFAULT_TABLES)})",
    )
    parser.add_argument("--checkpoint", metavar="NAME", help="a model: iter3, reward_models/mix2")
    parser.add_argument("--private", action="store_true", help="make a new repository private")
    parser.add_argument("--pr", action="store_true", help="open a pull request, leave main alone")
    parser.add_argument("--tag", metavar="NAME", help="tag the commit, such as v1")
    parser.add_argument("--dry-run", action="store_true", help="show what would be sent")
    parser.add_argument("--adopt", action="store_true", help="replace files prefloop did not put")
    parser.add_argument("--prune", action="store_true", help="delete tables that are left out now")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write all files there as well")
    parser.add_argument("--licence", metavar="ID", help="one you have cleared, for the whole")
    parser.add_argument("--allow-unknown-licence", action="store_true")
    parser.add_argument(
        "--allow-findings",
        nargs="+",
        default=[],
        choices=["all", *kinds.SHAPES],
        metavar="KIND",
        help=f"publish although these were found: all, {', '.join(kinds.SHAPES)}",
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), metavar="FILE")
    args = parser.parse_args(argv)
    return asking.guard("publish", lambda: _body(args))


def _body(args: argparse.Namespace) -> None:
    _check(args)
    with scratch() as work:
        bundle = _bundle(args, work)
        _judge(bundle, args.allow_findings)
        if args.out:
            _write(bundle, args.out)
        remote = hub.look(args.repo, bundle.kind)
        plan = hub.compare(bundle, remote)
        _show(args.repo, bundle, plan, remote)
        _permit(args, plan, remote)
        if args.dry_run:
            print("dry run: nothing was sent")
            return
        _publish(args, bundle, plan, remote)


def _check(args: argparse.Namespace) -> None:
    hub.check_name(args.repo)
    if args.tables and args.checkpoint:
        raise UserError(
            "give --tables or --checkpoint: a data set and a model are apart on the Hub"
        )
    if args.pr and args.tag:
        raise UserError("--tag names a commit of main: merge the pull request first, then tag")
    if not args.dry_run and not hub.has_token():
        raise UserError("no token: set HF_TOKEN, or run hf auth login")


def _bundle(args: argparse.Namespace, work: Path) -> Bundle:
    root = args.data.resolve().parent
    commit, dirty = _commit(root)
    origin = Origin(
        data=args.data,
        params_file=args.params,
        lock_file=root / "dvc.lock",
        params=params.load(args.params).model_dump(mode="json"),
        commit=commit,
        dirty=dirty,
    )
    kind = "model" if args.checkpoint else "dataset"
    wish = Wish(args.repo, hub.address(args.repo, kind), args.licence, args.allow_unknown_licence)
    if args.checkpoint:
        return model.make(origin, wish, args.checkpoint, _say)
    return dataset.make(origin, wish, args.tables or layout.DEFAULT_TABLES, work, _say)


def _commit(root: Path) -> tuple[str | None, bool]:
    """The commit of the code and whether it was changed since; none outside a git repository."""
    head = _git(root, "rev-parse", "HEAD")
    return head or None, bool(head and _git(root, "status", "--porcelain", "--", *_CODE))


def _git(root: Path, *words: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _write(bundle: Bundle, folder: Path) -> None:
    """Write the repository's files into a new folder, to look at the card or to keep them."""
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"--out {folder}: exists and is not empty; name a new folder")
    for target, content in bundle.files.items():
        with atomic(folder / target) as temp:
            if isinstance(content, bytes):
                temp.write_bytes(content)
            else:
                shutil.copyfile(content, temp)


def _judge(bundle: Bundle, allowed: Sequence[str]) -> None:
    """Print what the scan found, and stop at what was not allowed."""
    for finding in bundle.findings:
        print(f"found: {finding.line()}")
    stopped = scan.refused(bundle.findings, allowed)
    if stopped:
        kinds = sorted({finding.kind for finding in stopped})
        raise UserError(
            f"{sum(one.count for one in stopped)} findings, listed above; mend the rows, or go on "
            f"with --allow-findings {' '.join(kinds)}"
        )


def _permit(args: argparse.Namespace, plan: hub.Plan, remote: hub.Remote) -> None:
    """Refuse what would surprise: a public repository, another's files, lost ones, a moved tag."""
    if args.private and remote.head and not remote.private:
        raise UserError(f"{args.repo}: exists and is public; make it private on the Hub first")
    others = hub.foreign(remote)
    if others and not args.adopt:
        raise UserError(
            f"{args.repo}: holds files prefloop did not put there ({', '.join(others[:3])}); "
            "name another repository, or give --adopt to replace them"
        )
    if plan.delete and not args.prune:
        raise UserError(
            f"{args.repo}: holds {len(plan.delete)} files of tables that are not among these "
            f"({', '.join(plan.delete[:3])}); name them in --tables, or give --prune to delete them"
        )
    tagged = remote.tags.get(args.tag) if args.tag else None
    if tagged and (tagged != remote.head or not plan.empty):
        raise UserError(f"{args.repo}: tag {args.tag} is on {tagged[:12]}; choose another --tag")


def _show(repo: str, bundle: Bundle, plan: hub.Plan, remote: hub.Remote) -> None:
    rows: list[tuple[int | None, str, str]] = [
        (_size(bundle, name), "add", name) for name in plan.add
    ]
    rows += [(None, "delete", name) for name in plan.delete]
    if rows:
        print(table(("bytes", "what", "file"), rows, 90))
    state = f"at {remote.head[:12]}" if remote.head else "new"
    licence = bundle.licence.name or bundle.licence.id
    print(f"{repo} ({bundle.kind}, {state}), licence {licence}: {len(plan.add)} to send, ", end="")
    print(f"{len(plan.delete)} to delete, {plan.same} there already")


def _size(bundle: Bundle, name: str) -> int:
    content = bundle.files[name]
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _publish(args: argparse.Namespace, bundle: Bundle, plan: hub.Plan, remote: hub.Remote) -> None:
    head = remote.head
    if plan.empty and head:
        print(f"nothing to send: {args.repo} is as it should be at {head}")
    else:
        done = hub.commit(
            args.repo, bundle, plan, remote, private=args.private, pull_request=args.pr
        )
        head = done.commit
        print(f"published: {done.pull_request or hub.address(args.repo, bundle.kind)} at {head}")
    if args.tag and args.tag not in remote.tags:
        hub.tag(args.repo, bundle.kind, args.tag, str(head))
        print(f"tagged: {args.tag}")


def _say(text: str) -> None:
    print(f"publish: {text}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
