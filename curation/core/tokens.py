"""Token counts of text columns, with the tokenizer the models use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl

from curation.core.errors import UserError

BATCH = 4_096


def counter(path: Path) -> Callable[[pl.Expr], pl.Expr]:
    """A function from a list-of-strings expression to the tokens in each list, no specials added.

    Raises:
        UserError: the file is missing or is no tokenizer.json.
    """
    from tokenizers import Tokenizer

    if not path.is_file():
        raise UserError(f"{path}: no such file; run the base stage first")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises a bare Exception
        raise UserError(f"{path}: not a tokenizer.json ({error})") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()

    def sizes(texts: pl.Series) -> list[int]:
        found: list[int] = []
        for start in range(0, len(texts), BATCH):
            batch = texts[start : start + BATCH].to_list()
            coded = tokenizer.encode_batch_fast(batch, add_special_tokens=False)
            found.extend(len(one) for one in coded)
        return found

    def per_list(lists: pl.Series) -> pl.Series:
        flat = pl.DataFrame({"row": range(len(lists)), "text": lists}).explode("text").drop_nulls()
        counted = flat.select("row", pl.Series("size", sizes(flat["text"]), dtype=pl.Int64))
        total = counted.group_by("row").agg(pl.col("size").sum())
        rows = pl.DataFrame({"row": range(len(lists))}, schema={"row": pl.Int64})
        joined = rows.join(total, on="row", how="left", maintain_order="left")
        return joined["size"].fill_null(0).alias(lists.name)

    return lambda texts: texts.map_batches(per_list, return_dtype=pl.Int64, is_elementwise=True)
