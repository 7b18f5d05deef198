"""The base model: weights that others made, or a tiny Llama from scratch with its tokenizer.

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
from pipelines.core.params import Params
from pipelines.core.params.models import Base
from pipelines.core.stage import Stage
from pipelines.shared import model_files, settings

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
    facts = _scratch(args, params, texts) if section.uri is None else _taken(args, section)
    if args.control is not None:
        from training.trainers import base

        run.outputs.json(args.control, {"turns": base.turn_tokens(args.checkpoint)})
    run.summary.rows_in = run.summary.kept = len(texts)
    run.summary.note = f"{facts['parameters']} parameters, vocabulary {facts['vocabulary']}"


def _scratch(args: Args, params: Params, texts: list[str]) -> dict[str, Any]:
    from training.core import environment

    environment.prepare()
    from training.trainers import base

    shape, seed = settings.architecture(params), params.seeds.base
    return base.from_scratch(args.checkpoint, texts, params.base.vocab_size, shape, seed)


def _taken(args: Args, section: Base) -> dict[str, Any]:
    """Weights that others made; only a repository of the Hub is left to transformers to fetch."""
    assert section.uri is not None
    with model_files.located(section.uri, section.revision, "base.uri") as origin:
        from training.core import environment

        environment.prepare(offline=Path(origin.place).exists())
        from training.trainers import base

        chat, trust = _chat(section), section.trust_remote_code
        return base.from_source(args.checkpoint, origin, chat, trust)


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
