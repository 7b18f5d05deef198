"""Arrow IPC files, as `save_to_disk` of `datasets` writes them: file or stream format."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from curation.core.errors import UserError


def as_parquet(path: Path, target: Path) -> Path:
    """The table as a Parquet file, one record batch in memory at a time.

    Raises:
        UserError: it is not a whole Arrow file.
    """
    import pyarrow.parquet as pq

    with _opened(path) as (schema, batches), pq.ParquetWriter(target, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return target


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows as Python values.

    Raises:
        UserError: it is not a whole Arrow file.
    """
    with _opened(path) as (_, batches):
        for batch in batches:
            yield from batch.to_pylist()


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Iterator[Any]]]:
    """The schema and the record batches of a file in either format."""
    import pyarrow as pa

    try:
        with pa.memory_map(str(path)) as source:
            if source.read(6) == b"ARROW1":
                reader = pa.ipc.open_file(source)
                numbers = range(reader.num_record_batches)
                yield reader.schema, map(reader.get_batch, numbers)
            else:
                source.seek(0)
                stream = pa.ipc.open_stream(source)
                yield stream.schema, iter(stream)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path}: not a whole Arrow file ({reason}); fetch it again") from error
