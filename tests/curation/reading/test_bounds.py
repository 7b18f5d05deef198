"""Files that swell out of proportion are one line in little memory; real ones are read."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import zstandard

from curation.core.errors import UserError
from curation.reading import bounds, readers

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor(level=19).compress,
}
LIMIT = 512 << 20  # bytes of address space that reading may add to what imports take


def bomb(kind: str, size: int) -> bytes:
    filler = {"line": b"a", "breaks": b"\n", "rows": b"{}\n"}[kind]
    head = b'{"prompt": "' if kind == "line" else b'{"prompt": "a"}\n'
    return head + filler * (size // len(filler))


@pytest.mark.parametrize("packed", PACKERS)
@pytest.mark.parametrize("kind", ["line", "breaks", "rows"])
def test_what_swells_out_of_proportion_is_one_line(tmp_path: Path, kind: str, packed: str) -> None:
    file = tmp_path / f"bomb.jsonl.{packed}"
    file.write_bytes(PACKERS[packed](bomb(kind, 48 << 20)))
    with pytest.raises(UserError, match=r"bomb.jsonl.*more than 500 times as many.*unpack it"):
        for _ in readers.rows(file):
            pass


def test_a_zip_bomb_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "bomb.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.jsonl", bomb("rows", 48 << 20))
    with pytest.raises(UserError, match=r"rows.jsonl.*more than 500 times as many"):
        list(readers.rows(file))


def test_a_bomb_is_refused_in_little_memory(tmp_path: Path, root: Path) -> None:
    """A gigabyte of one line in some 32 KB: no process of the limit's size could hold it."""
    packer = zstandard.ZstdCompressor(level=3).compressobj()
    with (tmp_path / "bomb.jsonl.zst").open("wb") as out:
        for _ in range(1024):
            out.write(packer.compress(b"a" * (1 << 20)))
        out.write(packer.flush())
    script = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from curation.reading import readers\n"
        "def held(): return int(Path('/proc/self/statm').read_text().split()[0]) * 4096\n"
        f"resource.setrlimit(resource.RLIMIT_AS, (held() + {LIMIT},) * 2)\n"
        "list(readers.rows(Path(sys.argv[1])))\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "bomb.jsonl.zst")]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert "more than 500 times as many" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("packed", PACKERS)
def test_rows_of_text_are_read_however_they_are_packed(tmp_path: Path, packed: str) -> None:
    rng = random.Random(1)
    words = [f"word{k}" for k in range(400)]
    rows = [{"prompt": " ".join(rng.choices(words, k=30))} for _ in range(2000)]
    text = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (tmp_path / f"rows.jsonl.{packed}").write_bytes(PACKERS[packed](text))
    assert list(readers.rows(tmp_path / f"rows.jsonl.{packed}")) == rows


def test_a_row_of_more_than_the_bound_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "ROW", 3 << 20)
    for name, text in {
        "a.jsonl": '{"prompt": "' + "a" * (8 << 20) + '"}\n',
        "a.json": '[{"prompt": "' + "a" * (8 << 20) + '"}]',
        "a.csv": "prompt\n" + "a" * (8 << 20) + "\n",
    }.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(UserError, match=rf"{name}: a row of over 3 MiB"):
            list(readers.rows(tmp_path / name))


def test_pages_out_of_proportion_are_one_line(tmp_path: Path) -> None:
    file = tmp_path / "bomb.parquet"
    text = pl.DataFrame({"prompt": [chr(97 + k) * (20 << 20) for k in range(3)]})
    text.write_parquet(file, compression_level=19)
    with pytest.raises(UserError, match=r"bomb.parquet: .* more than 500 times as many"):
        bounds.parquet(file)
    pl.DataFrame({"prompt": [f"{k} and more" for k in range(1000)]}).write_parquet(file)
    bounds.parquet(file)
