"""prefloop pin: record the commits that the Hub's sets are at now, and the hashes of wheels.

Run: prefloop pin [NAME ...]

NAME is a source with a uri, or a key that names a model, such as base.uri; without one, all of the
recipe's. The commit of a source is written to the file of pins that its `path` names (a JSON object
of source: commit); from then on `fetch` refuses a branch or tag that has moved. A model stands in
recipes/pins.json under its uri: a repository with its commit, which is then what is fetched; a
wheel, which is fetched for it, with its sha256. Pin again to take what has changed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from curation.core.errors import UserError
from pipelines.core import params
from pipelines.core.io import read_json
from pipelines.core.params.model_uri import Wheel
from pipelines.shared import asking, model_hub, model_keys, model_pins, source_files, wheels

TASK = "build"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="prefloop pin",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="sources and keys of models; all")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    args = parser.parse_args(argv)
    return asking.guard("pin", lambda: _body(args))


def _body(args: argparse.Namespace) -> None:
    whole = params.load(args.params)
    models = model_keys.pinned(whole)
    of_hub = [name for name, source in whole.sources.items() if source.uri is not None]
    names = args.names or [*of_hub, *models]
    if not names:
        raise UserError(
            f"{args.params}: no source has a uri and no model is of the Hub or a wheel; there is "
            "nothing to pin"
        )
    found: dict[Path, dict[str, str]] = {}
    for name in names:
        file, key, value = (
            _model(name, models[name]) if name in models else _source(name, whole, args.params)
        )
        found.setdefault(file, {})[key] = value
        print(f"{name}: {value}", flush=True)
    for path, pins in found.items():  # all were found before any is written
        _write(path, {**(read_json(path) if path.is_file() else {}), **pins})


def _source(name: str, whole: params.Params, file: Path) -> tuple[Path, str, str]:
    """File of pins, name and commit of a source."""
    source = source_files.configured(whole, name, file)
    if source.uri is None:
        raise UserError(f"sources.{name}: has no uri; only sets of the hub are pinned")
    return Path(source.path), name, source_files.commit_of(source, f"sources.{name}")


def _model(key: str, asked: model_keys.Asked) -> tuple[Path, str, str]:
    """File of pins, name there and commit or hash of a model."""
    place = asked.place
    if isinstance(place, Wheel):
        return model_pins.PINS, place.key(), f"sha256:{wheels.look_up(place, key)}"
    commit = model_hub.commit_of(place, asked.revision, key)
    return model_pins.PINS, place.key(asked.revision), commit


def _write(path: Path, pins: dict[str, str]) -> None:
    made = path.with_name(f".{path.name}.{os.getpid()}")
    made.write_text(json.dumps(pins, indent=1, sort_keys=True) + "\n", "utf-8")
    os.replace(made, path)


if __name__ == "__main__":
    sys.exit(main())
