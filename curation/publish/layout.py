"""Tables of a build in the Hub's layout: one config per table and iteration, with splits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from curation.core import plain_parquet, schema
from curation.core.errors import UserError
from curation.core.ordered import batches
from curation.core.schema import Table

SHARD_BYTES = 500_000_000
DEFAULT_TABLES = ("pairs", "prompts", "generations", "scores")

_SPLITS = {"train": "train", "eval": "test"}  # ours -> the name that load_dataset users expect
_FILES: dict[str, tuple[Table, str]] = {
    "pairs": (schema.PAIRS, "iterations/*/pairs.parquet"),
    "prompts": (schema.PROMPTS, "prompts/prompts.parquet"),
    "generations": (schema.GENERATIONS, "iterations/*/generations.parquet"),
    "scores": (schema.SCORES, "iterations/*/scores.parquet"),
    "history": (schema.HISTORY, "iterations/*/history.parquet"),
    "reference": (schema.REFERENCE, "iterations/*/reference.parquet"),
    "mixes": (schema.MIXES, "mixes/*/mix.parquet"),
    "sft_mix": (schema.SFT_MIX, "sft_mix/sft_mix.parquet"),
    "preferences": (schema.PREFERENCES, "sources/preference/*/table.parquet"),
}
TABLES = tuple(_FILES)


@dataclass(frozen=True)
class Config:
    """One config of a data set: a table's file, and how many rows each of its splits has."""

    name: str
    kind: str
    table: Table
    file: Path
    splits: dict[str, int]

    @property
    def rows(self) -> int:
        """Rows of all splits."""
        return sum(self.splits.values())


@dataclass(frozen=True)
class Shard:
    """One Parquet file of the data set: where it goes, and the file that holds it."""

    config: Config
    split: str
    target: str
    file: Path


def configs(data: Path, wanted: Sequence[str] = DEFAULT_TABLES) -> list[Config]:
    """The configs of a build for tables (pairs) or single configs (pairs_iter1), in that order.

    Tables without rows are left out: a config without rows cannot be loaded.

    Raises:
        UserError: a name is neither a table nor a config of this build, or nothing has rows.
    """
    every = [config for kind in _FILES for config in _of(data, kind)]
    found: dict[str, Config] = {}
    for name in wanted:
        chosen = [config for config in every if name in (config.name, config.kind)]
        if not chosen and name not in _FILES:
            have = ", ".join([*TABLES, *(config.name for config in every)])
            raise UserError(f"--tables {name}: neither a table nor a config of {data}: {have}")
        found |= {config.name: config for config in chosen if config.rows}
    if not found:
        raise UserError(f"{data}: no rows of {', '.join(wanted)}; run dvc repro first")
    return list(found.values())


def _of(data: Path, kind: str) -> list[Config]:
    table, pattern = _FILES[kind]
    made = []
    for file in sorted(data.glob(pattern)):
        name = f"{kind}_{file.parent.name}" if "*" in pattern else kind
        made.append(Config(name, kind, table, file, _splits(file, table)))
    return made


def _splits(file: Path, table: Table) -> dict[str, int]:
    try:
        rows = pl.scan_parquet(file)
        if "split" not in table.names:
            total = int(rows.select(pl.len()).collect().item())
            return {"train": total} if total else {}
        counts = dict(rows.group_by("split").len().collect().iter_rows())
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{file}: not a readable table of {table.name} ({reason}); run dvc repro"
        ) from error
    return {theirs: counts[ours] for ours, theirs in _SPLITS.items() if ours in counts}


def shards(config: Config, work: Path, limit: int = SHARD_BYTES) -> list[Shard]:
    """The files of a config; a table of one split and at most `limit` bytes is its own file.

    Args:
        config: from `configs`.
        work: a folder for files that must be written: one split of several, one shard of many.
        limit: bytes a file may have, about.
    """
    whole = len(config.splits) == 1 and config.file.stat().st_size <= limit
    if whole:
        (split,) = config.splits
        return [Shard(config, split, _target(config, split, 0, 1), config.file)]
    made = []
    for ours, split in _SPLITS.items():
        if split in config.splits:
            made.extend(_written(config, ours, split, work, limit))
    return made


def _written(config: Config, ours: str, split: str, work: Path, limit: int) -> list[Shard]:
    count = config.splits[split]
    share = config.file.stat().st_size * count / config.rows
    parts = max(1, -(-int(share) // limit))
    step = -(-count // parts)
    frames = _rows_of(config, ours)
    made = []
    for part, rows in enumerate(_cut(frames, step)):
        target = _target(config, split, part, -(-count // step))
        file = work / target
        file.parent.mkdir(parents=True, exist_ok=True)
        plain_parquet.write(file, rows)
        made.append(Shard(config, split, target, file))
    return made


def _rows_of(config: Config, split: str) -> Iterator[pl.DataFrame]:
    """The rows of one split, a row group at a time."""
    for frame in batches(pl.scan_parquet(config.file)):
        chosen = frame if len(config.splits) == 1 else frame.filter(pl.col("split") == split)
        if chosen.height:
            yield chosen


def _cut(frames: Iterator[pl.DataFrame], step: int) -> Iterator[Iterator[pl.DataFrame]]:
    """The frames in runs of `step` rows, the last shorter; each is read before the next."""
    held = next(frames, None)

    def run() -> Iterator[pl.DataFrame]:
        nonlocal held
        left = step
        while held is not None and left:
            first, rest = held.head(left), held.slice(left)
            left -= first.height
            yield first
            held = rest if rest.height else next(frames, None)

    while held is not None:
        yield run()


def _target(config: Config, split: str, part: int, parts: int) -> str:
    return f"data/{config.name}/{split}-{part:05d}-of-{parts:05d}.parquet"
