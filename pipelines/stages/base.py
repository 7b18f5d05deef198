"""The base model: weights of the hub, or a tiny Llama from scratch with its tokenizer.

Run: python -m pipelines.stages.base --corpus data/sources/sft/NAME/native.parquet
--checkpoint data/checkpoints/base [--control data/checkpoints/control_tokens.json]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from curation.core.errors import UserError
from pipelines.core import params as parameters
from pipelines.core import stage
from pipelines.core.arguments import Arguments, reads, writes
from pipelines.core.params.models import Base
from pipelines.core.stage import Stage
from pipelines.shared import settings

if TYPE_CHECKING:
    from training.trainers.base import Chat


class Args(Arguments):
    """What the stage reads, writes and is told."""

    corpus: Path = reads()
    checkpoint: Path = writes()
    control: Path | None = writes(default=None)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; returns the exit code."""
    return stage.run("base", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Write the base checkpoint, and what begins and ends turns in its template."""
    params = parameters.load(args.params)
    section = params.base
    texts = list(_texts(_read(args.corpus))) if section.architecture else []
    from training.core import environment

    environment.prepare(offline=section.uri is None or Path(section.uri).exists())
    from training.trainers import base

    if section.uri is None:
        shape = settings.architecture(params)
        facts = base.from_scratch(
            args.checkpoint, texts, section.vocab_size, shape, params.seeds.base
        )
    else:
        facts = base.from_source(
            args.checkpoint,
            section.uri,
            section.revision,
            _chat(section),
            section.trust_remote_code,
        )
    if args.control is not None:
        run.outputs.json(args.control, {"turns": base.turn_tokens(args.checkpoint)})
    run.summary.rows_in = run.summary.kept = len(texts)
    run.summary.note = f"{facts['parameters']} parameters, vocabulary {facts['vocabulary']}"


def _chat(section: Base) -> Chat:
    from training.trainers.base import Chat

    named = None if section.chat_template == "from_model" else section.chat_template
    try:
        return Chat(named, section.system == "fold", date.fromisoformat(section.date))
    except ValueError as error:
        raise UserError(f"base.date: {section.date}: {error}") from error


def _read(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise UserError(f"{path}: no such file; run fetch for base.corpus first")
    try:
        return pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UserError(f"{path}: not a readable Parquet file") from error


def _texts(frame: pl.DataFrame) -> Iterator[str]:
    """Every string of every row, whatever the native schema."""
    for row in frame.iter_rows():
        yield from _strings(row)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)


if __name__ == "__main__":
    sys.exit(main())
