"""How much of a benchmark stands in the tables that a judge was trained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from curation.core import schema
from curation.core.errors import UserError
from curation.mixing import overlap
from curation.mixing.decontaminate import Settings
from pipelines.core import io

if TYPE_CHECKING:
    from training.bench.rewards.items import Item

_ROWS = 65_536  # of a table looked at together
_COLUMNS = ("prompt_id", "prompt", "chosen", "rejected", "split")


@dataclass(frozen=True)
class Held:
    """Places of the rows whose prompt the tables hold, and of those with an answer that they do."""

    tables: tuple[str, ...]
    prompts: frozenset[int]
    answers: frozenset[int]

    def told(self, items: Sequence[Item]) -> dict[str, Any]:
        """As it is written: counts, and each row by its key, with whether an answer is there."""
        rows = {items[n].key: n in self.answers for n in sorted(self.prompts)}
        found = {"prompts": len(self.prompts), "answers": len(self.answers)}
        return {"tables": list(self.tables), **found, "rows": rows}


def of(items: Sequence[Item], tables: Sequence[Path]) -> Held | None:
    """The overlap of items with preference mixes; None where no table is named.

    Raises:
        UserError: a table is not a mix, or the items hold no prompts.
    """
    if not tables:
        return None
    if not all(item.prompt for item in items):
        raise UserError("--mix: the file holds scores without prompts; give the benchmark's own")
    asked = pl.DataFrame(
        {
            "item_id": [str(n) for n in range(len(items))],
            "text": [_asked(item) for item in items],
            "responses": [list(item.responses) for item in items],
        }
    )
    prompts, answers = overlap.rows(_frames(tables), asked, Settings())
    places = (frozenset(map(int, found)) for found in (prompts, answers))
    return Held(tuple(map(str, tables)), *places)


def _asked(item: Item) -> str:
    return "\n".join(turn["content"] for turn in item.prompt if turn["role"] == "user")


def _frames(tables: Sequence[Path]) -> Iterator[pl.DataFrame]:
    for path in tables:
        rows = io.scan(path, schema.MIXES, keyed=False).select(_COLUMNS)
        rows = rows.filter(pl.col("split") == "train")
        yield from rows.collect_batches(chunk_size=_ROWS, maintain_order=True)
