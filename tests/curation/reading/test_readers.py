"""Files in every packing and encoding give the same rows; others are named for what they are."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from pathlib import Path

import pytest

from curation.core.errors import UserError
from curation.reading import readers

ROWS = [{"prompt": f"q{n}", "chosen": "x é", "rejected": "y"} for n in range(3)]
LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return out.getvalue()


def tarred(**files: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name.replace("_", "."))
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


ONE = LINES[: LINES.index(b"\n") + 1]
PRETTY = "\n".join(json.dumps(row, indent=2) for row in ROWS).encode()
TABBED = "prompt\tchosen\trejected\n" + "".join(f"q{n}\tx é\ty\n" for n in range(3))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl.bz2", bz2.compress(LINES)),
        ("a.jsonl.xz", lzma.compress(LINES)),
        ("a.jsonl", gzip.compress(LINES, mtime=0)),  # the content says it, not the name
        ("a.zip", zipped(a_jsonl=LINES, README_md=b"# words")),
        ("a.tar", tarred(a_jsonl=LINES, LICENSE_rst=b"words")),
        ("a.tar.gz", gzip.compress(tarred(a_jsonl=ONE, b_jsonl=LINES[len(ONE) :]), mtime=0)),
        ("a.tar.xz", lzma.compress(tarred(a_json_gz=gzip.compress(LINES, mtime=0)))),
        ("a.jsonl", LINES.decode().encode("utf-16")),
        ("a.jsonl", LINES.decode().encode("utf-16-le")),
        ("a.jsonl", LINES.decode().encode("utf-32")),
        ("a.jsonl", b"\xef\xbb\xbf" + LINES),
        ("a.json", PRETTY),
        ("a.json", json.dumps(ROWS, indent=4).encode()),
        ("a.json", json.dumps({"type": "text_only", "instances": ROWS}).encode()),
        ("a.json", json.dumps({"type": "text_only", "instances": ROWS}, indent=1).encode()),
        ("a.tsv", TABBED.encode()),
        ("a.csv", TABBED.replace("\t", ",").encode("utf-16")),
        ("a.csv", TABBED.replace("\t", ",").encode("utf-16-be")),
        ("a.csv", TABBED.encode()),  # the header says it, not the name
        ("a.csv", TABBED.replace("\t", ";").encode()),
        ("a.jsonl.lzma", lzma.compress(LINES, format=lzma.FORMAT_ALONE)),
        ("a.json", json.dumps({"version": 1, "data": ROWS}).encode()),
        ("a.json", json.dumps({"rows": [{"row_idx": 0, "row": row} for row in ROWS]}).encode()),
        ("a.json", "".join(json.dumps(row) for row in ROWS).encode()),
        ("a.jsonl", "".join(f"\x1e{json.dumps(row)}\n" for row in ROWS).encode()),
    ],
)
def test_the_rows_are_the_same_in_every_packing(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    found = list(readers.rows(tmp_path / name))
    assert found == ROWS


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.7z", b"7z\xbc\xaf\x27\x1c and more", "a 7z archive"),
        ("a.jsonl", b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        ("a.jsonl", b"<!DOCTYPE html><html>", "a web page"),
        ("a.pkl", b"\x80\x04\x95 anything", "never loaded"),
        ("a.jsonl.lz4", b"\x04\x22\x4d\x18 anything", "an LZ4 file"),
        ("a.csv", TABBED.encode("latin-1"), "save it as UTF-8"),
        ("a.bin", b"\x01\x02\x00\x03 anything", "a binary file"),
        ("a.jsonl.bz2", bz2.compress(LINES)[:-9], "too early"),
        ("a.jsonl.xz", lzma.compress(LINES)[:-9], "too early"),
        ("a.zip", zipped(README_md=b"# words"), "holds no file of rows"),
        ("a.zip", zipped(a_parquet=b"PAR1"), "unpack the archive"),
        ("a.json", PRETTY[:-5], "has no end"),
    ],
)
def test_what_holds_no_rows_is_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=said):
        list(readers.rows(tmp_path / name))


def test_a_broken_first_line_is_one_bad_row_and_no_pretty_object(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"prompt": "q", "list": [\n' + LINES)
    first, *rest = readers.rows(tmp_path / "a.jsonl")
    assert isinstance(first, readers.Bad)
    assert rest == ROWS
