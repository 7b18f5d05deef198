"""Finished shards of a long stage: a crash costs one shard, not the stage.

A shard is a Parquet file behind a digest of its bytes and of the place it was made for, so that one
with a flipped bit, another stage's, or what is no shard at all is made again.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import polars as pl

from pipelines.core import code
from pipelines.core.outputs import atomic, forget_torn
from pipelines.core.stage import Stage
from pipelines.shared import workers
from pipelines.shared.workers import Job, Parts

E = TypeVar("E")
_DIGEST = hashlib.sha256().digest_size


def run(
    stage: Stage,
    purpose: str,
    key: Sequence[object],
    items: Parts,
    size: int,
    *,
    job: Job[E],
    keep: bool = False,
) -> pl.DataFrame:
    """Do a job on slices of items, keeping each slice's frame on disk until the stage is done.

    Args:
        stage: its name and outputs name the work folder; the shards go once those are in place.
        purpose: tells the shards of one stage apart, such as samples and scores.
        key: everything that decides the result: hashes of models, parameters, ids of items. The
            hash of the stage's code is added here; who does the work is no part of it.
        items: what is to be done, in a fixed order.
        size: items per shard.
        job: how an engine is made and what it does with a slice; none is made where no shard is
            missing.
        keep: leave the shards in place for the next run of the stage; they go once the key changes.

    Returns:
        The frames of all shards, concatenated.
    """
    wanted = _sha([*key, size, code.sha(stage.module)])
    folder = stage.folder("shards") / purpose / wanted
    _forget_others(folder)
    places = {
        number: (folder / f"{number:06d}.shard", f"{stage.name}/{purpose}/{wanted}/{number}")
        for number in range(-(-len(items) // size))
    }
    found = {number: _finished(*place) for number, place in places.items()}
    missing = [number for number, frame in found.items() if frame is None]
    made = workers.run(job, missing, lambda number: items[number * size : (number + 1) * size])
    for done, (number, frame) in enumerate(made, start=len(places) - len(missing) + 1):
        file, place = places[number]
        forget_torn([file])
        _keep(file, place, frame)
        found[number] = frame
        print(f"{stage.name}: shard {done}/{len(places)}", flush=True)
    if not keep:
        stage.after.append(lambda: shutil.rmtree(folder, ignore_errors=True))
    return pl.concat([frame for frame in found.values() if frame is not None])


def _sha(value: Sequence[object]) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _forget_others(folder: Path) -> None:
    """Remove shards of the same stage under other inputs: they will not be asked for again."""
    if folder.parent.is_dir():
        for other in folder.parent.iterdir():
            if other != folder:
                _remove(other)


def _keep(file: Path, place: str, frame: pl.DataFrame) -> None:
    buffer = io.BytesIO()  # a full disk is then an OSError that names the file
    frame.write_parquet(buffer)
    with atomic(file) as temp, temp.open("wb") as out:
        out.write(_digest(place, buffer.getbuffer()))
        out.write(buffer.getbuffer())


def _finished(file: Path, place: str) -> pl.DataFrame | None:
    """The shard, or None where none is whole: what stands in its place is removed."""
    try:
        content = memoryview(file.read_bytes())
        if content[:_DIGEST] == _digest(place, content[_DIGEST:]):
            return pl.read_parquet(io.BytesIO(content[_DIGEST:]))
    except FileNotFoundError:
        return None
    except (IsADirectoryError, pl.exceptions.PolarsError):
        pass
    _remove(file)
    return None


def _digest(place: str, content: memoryview) -> bytes:
    digest = hashlib.sha256(place.encode() + b"\0")
    digest.update(content)
    return digest.digest()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
