"""Writing files and tables: whole or not at all."""

from __future__ import annotations

import glob
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from curation.core.errors import UserError
from curation.core.ordered import PART, regrouped
from curation.core.schema import Table
from pipelines.core.parts import in_order
from pipelines.core.row_groups import RowGroups

ROW_GROUP = PART  # fixed: the row groups are part of a file's bytes


def forget_torn(paths: Iterable[Path]) -> None:
    """Remove the temporary files and folders that a killed writer of these paths has left.

    Only the holder of the stage's lock may: another run's files would go with them.
    """
    for path in paths:
        for torn in path.parent.glob(f".{glob.escape(path.name)}.*.tmp*"):
            if torn.is_dir():
                shutil.rmtree(torn, ignore_errors=True)
            else:
                torn.unlink(missing_ok=True)


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temp path in the same folder; on success fsync it and rename it into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    os.close(handle)
    temp = Path(name)
    try:
        yield temp
        _sync(temp)
        temp.chmod(0o644)
        os.replace(temp, path)
        _sync(path.parent)
    finally:
        temp.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Outputs:
    """A stage's outputs, staged as temp files and renamed together when the stage has succeeded.

    A stage that raises leaves every earlier output as it was.
    """

    def __init__(self) -> None:
        self._staged: list[tuple[Path, Path]] = []

    def table(self, path: Path, table: Table, frame: pl.DataFrame | pl.LazyFrame) -> int:
        """Stage a table sorted by its key; returns its number of rows.

        Raises:
            UserError: a column that may not be null holds nulls.
        """
        columns = [pl.col(column.name).cast(column.dtype) for column in table.columns]
        ordered = frame.lazy().select(columns).sort(table.key).collect()
        return self.parts(path, table, ordered.iter_slices(ROW_GROUP))

    def parts(self, path: Path, table: Table, frames: Iterable[pl.DataFrame]) -> int:
        """Stage a table from frames that come in key order, in constant memory; returns its rows.

        Raises:
            UserError: a column that may not be null holds nulls.
            AssertionError: the frames are not in key order.
        """
        temp = self._temp(path)
        rows = 0

        def checked() -> Iterator[pl.DataFrame]:
            nonlocal rows
            for frame in regrouped(in_order(frames, table), ROW_GROUP):
                self._no_nulls(path, table, frame.select(table.required).null_count())
                rows += frame.height
                yield frame
            if not rows:
                yield table.empty()

        try:
            with RowGroups(temp, table.key) as groups:
                for frame in checked():
                    groups.add(frame)
        except OSError as error:  # Arrow's own names neither the file nor the reason alone
            raise OSError(error.errno, os.strerror(error.errno or 0), str(path)) from error
        if (found := pl.scan_parquet(temp).select(pl.len()).collect().item()) != rows:
            raise AssertionError(f"{path}: {rows} rows written, {found} in the file")
        return rows

    def staged(self, path: Path) -> pl.LazyFrame:
        """A table staged before, to compute figures from."""
        return pl.scan_parquet({to: temp for temp, to in self._staged}[path])

    def json(self, path: Path, value: dict[str, Any]) -> None:
        """Stage a JSON file: keys sorted, floats rounded to 9 digits."""
        text = json.dumps(rounded(value), indent=2, sort_keys=True, ensure_ascii=False)
        self.text(path, text + "\n")

    def text(self, path: Path, text: str) -> None:
        """Stage a text file in UTF-8."""
        self._temp(path).write_text(text, "utf-8")

    def commit(self) -> None:
        """Rename every staged file into place; nothing is visible before this."""
        for temp, _ in self._staged:
            _sync(temp)
        for temp, path in self._staged:
            temp.chmod(0o644)
            os.replace(temp, path)
        for folder in sorted({path.parent for _, path in self._staged}):
            _sync(folder)
        self._staged.clear()

    def discard(self) -> None:
        """Remove what was staged."""
        for temp, _ in self._staged:
            temp.unlink(missing_ok=True)
        self._staged.clear()

    def _temp(self, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        os.close(handle)
        self._staged.append((Path(name), path))
        return Path(name)

    @staticmethod
    def _no_nulls(path: Path, table: Table, counts: pl.DataFrame) -> None:
        nulls = [name for name in table.required if counts[name][0]]
        if nulls:
            raise UserError(f"{path}: {', '.join(nulls)} may not be null in {table.name}")


def rounded(value: Any) -> Any:
    """Floats rounded to 9 digits (a multi-threaded sum differs at 1e-15); NaN becomes null."""
    if isinstance(value, float):
        return round(value, 9) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return value
