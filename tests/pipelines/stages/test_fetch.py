"""fetch and standardize on broken and odd files: a reject with a reason, or one line and code 2."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import polars as pl
import pytest
import zstandard

from tests.pipelines.front import GOOD, Front, lines, one_line, write


@pytest.fixture
def front(tmp_path: Path) -> Front:
    return Front(tmp_path)


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.zst"])
def test_a_truncated_compressed_file_is_one_error(
    front: Front, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    content = lines(*({**GOOD, "prompt": f"q{n}"} for n in range(3000)))
    packed = gzip.compress(content) if "gz" in suffix else zstandard.compress(content)
    assert front.fetch(write(front.root / f"a{suffix}", packed[:-20])) == 2
    one_line(capsys, f"a{suffix}", "too early")
    assert front.fetch(write(front.root / f"b{suffix}", packed)) == 0
    assert front.manifest()["kept"] == 3000


def test_concatenated_members_are_read_to_the_end(front: Front) -> None:
    parts = [gzip.compress(lines({**GOOD, "prompt": str(n)})) for n in range(3)]
    assert front.fetch(write(front.root / "a.jsonl.gz", b"".join(parts))) == 0
    assert front.manifest()["kept"] == 3
    frames = [zstandard.compress(lines({**GOOD, "prompt": str(n)})) for n in range(3)]
    assert front.fetch(write(front.root / "a.jsonl.zst", b"".join(frames))) == 0
    assert front.manifest()["kept"] == 3


def test_broken_lines_are_rejects_with_their_raw_text(front: Front) -> None:
    odd = [
        b'{"prompt": "q", "chosen": "x", "rej',
        b'["not", "an object"]',
        b'{"prompt": "q", "chosen": "\\ud800", "rejected": "y"}',
        b'{"prompt": "q", "chosen": "\xff", "rejected": "y"}',
        {**GOOD, "chosen": 7},
        {**GOOD, "chosen": None},
        {"prompt": "q", "chosen": "x"},
    ]
    assert front.fetch(write(front.root / "a.jsonl", lines(GOOD, *odd))) == 0
    assert front.rules() == [
        *("invalid_json", "invalid_text", "invalid_text"),
        *("missing_value", "missing_value", "wrong_type", "wrong_type"),
    ]
    rejects = pl.read_parquet(front.at("fr.parquet"))
    assert odd[0].decode() in rejects["payload"].to_list()
    assert rejects["item_id"].n_unique() == rejects.height
    manifest = front.manifest()
    assert (manifest["rows"], manifest["kept"], manifest["rejected"]) == (8, 1, 7)


def test_bom_line_separators_and_mixed_endings_split_no_row(front: Front) -> None:
    separator = {**GOOD, "chosen": "one\u2028two\u0085three"}
    plain = json.dumps(separator, ensure_ascii=False).encode()
    rows = [plain, *(json.dumps({**GOOD, "prompt": str(n)}).encode() for n in range(3))]
    content = b"\xef\xbb\xbf" + rows[0] + b"\r\n" + rows[1] + b"\r" + rows[2] + b"\n\n" + rows[3]
    assert front.fetch(write(front.root / "a.jsonl", content)) == 0
    assert (front.manifest()["kept"], front.rules()) == (4, [])
    assert front.standardize() == 0
    kept = pl.read_parquet(front.at("t.parquet"))["chosen"].list.first().struct.field("content")
    assert separator["chosen"] in kept.to_list()


def test_nul_is_kept_by_fetch_and_rejected_by_name(front: Front) -> None:
    content = lines(GOOD, {**GOOD, "rejected": "a\x00b"})
    assert front.fetch(write(front.root / "a.jsonl", content)) == 0
    assert front.standardize() == 0
    rejects = pl.read_parquet(front.at("r.parquet"))
    assert rejects["rule"].to_list() == ["invalid_text"]
    assert json.loads(rejects["payload"][0])["rejected"] == "a\x00b"


def test_a_response_of_fifty_megabytes_passes_or_is_rejected_by_name(front: Front) -> None:
    big = {**GOOD, "chosen": "word " * 10_000_000}
    assert front.fetch(write(front.root / "a.jsonl", lines(GOOD, big))) == 0
    assert front.standardize() == 0
    assert pl.read_parquet(front.at("t.parquet"))["chosen_chars"].max() == 50_000_000
    limits = ["structural", {"over_long_response": 100_000}]
    assert front.fetch(front.root / "a.jsonl", filters=limits) == 0
    assert front.standardize() == 0
    assert front.rules("r.parquet") == ["over_long_response"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", b"", "the file is empty"),
        ("a.jsonl", b"\n \n", "holds no rows"),
        ("a.jsonl", b"what is this\n", "not one of its first 1 rows can be read"),
        ("a.jsonl", lines({"prompt": "q", "chosen": "x"}), "lacks the column rejected"),
        ("a.json", b'[{"prompt": "q", "cho', "not a whole JSON array"),
        ("a.parquet", b"PAR1 and then nothing", "not a readable Parquet file"),
        ("a.csv", b"prompt,chosen\n1,2\n", "lacks the column rejected"),
        ("a.csv", b"prompt,chosen,rejected\n", "holds no rows"),
        ("a.csv", b"prompt,chosen,chosen,rejected\nq,x,z,y\n", "the header has chosen twice"),
        ("a.csv", b'prompt,chosen,rejected\nq,"x,y\n', "line 3: not valid CSV"),
        ("a.csv", "prompt,chosen\n".encode("utf-16"), "holds no rows"),
        ("a.csv", b"prompt,\xffchosen\n", "in line 1; save it as UTF-8"),
        ("a.jsonl.gz", gzip.compress(lines(GOOD), mtime=0) + b"more", "broken gzip stream"),
        ("a.json", b"[" + b'{"prompt":' + b"[" * 9999 + b"]" * 9999 + b"}]", "can be read"),
        (
            "a.jsonl",
            lines({**GOOD, "chosen": 1}),
            "none of 1 rows can be used; most: 1 x wrong_type",
        ),
    ],
)
def test_unusable_files_give_one_line_and_leave_earlier_outputs(
    front: Front, capsys: pytest.CaptureFixture[str], name: str, content: bytes, said: str
) -> None:
    before = Path(front.at("n.parquet"))
    before.write_bytes(b"earlier")
    assert front.fetch(write(front.root / name, content)) == 2
    one_line(capsys, name, said)
    assert before.read_bytes() == b"earlier"


def test_a_missing_file_names_the_key(front: Front, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.fetch(front.root / "none.jsonl") == 2
    one_line(capsys, "none.jsonl", "no such file", "sources.odd.path")


def test_a_parquet_column_of_another_type_is_one_line(
    front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    file = front.root / "a.parquet"
    pl.DataFrame({"prompt": ["q"], "chosen": [1], "rejected": ["y"]}).write_parquet(file)
    assert front.fetch(file) == 2
    one_line(capsys, "column chosen is Int64, not String")


def test_a_pinned_file_that_changed_is_an_error(
    front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(front.root / "a.jsonl", lines(GOOD))
    assert front.fetch(file) == 0
    sha = front.manifest()["files"][0]["sha256"]
    assert front.fetch(file, revision=f"sha256:{sha}") == 0
    write(file, lines(GOOD, {**GOOD, "prompt": "more"}))
    assert front.fetch(file, revision=f"sha256:{sha}") == 2
    one_line(capsys, "sources.odd.revision pins", sha)


def test_csv_rows_of_another_width_are_rejects(front: Front) -> None:
    content = b'prompt,chosen,rejected\n"a, ""b""\nc",x,y\nq,x\nq2,x,y\n'
    assert front.fetch(write(front.root / "a.csv", content)) == 0
    assert (front.manifest()["kept"], front.rules()) == (2, ["wrong_type"])
    assert 'a, "b"\nc' in pl.read_parquet(front.at("n.parquet"))["prompt"].to_list()


def test_filters_that_keep_nothing_name_source_and_rule(
    front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    assert front.fetch(write(front.root / "a.jsonl", lines({**GOOD, "rejected": " "}))) == 0
    assert front.standardize() == 2
    one_line(capsys, "sources.odd", "empty_response")


def test_unknown_rules_and_options_are_refused(
    front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(front.root / "a.jsonl", lines(GOOD))
    assert front.fetch(file, options={"colour": 1}) == 2
    one_line(capsys, "sources.odd.options.colour", "no such option")
    assert front.fetch(file, filters=["structural", "tye"]) == 2
    one_line(capsys, "sources.odd.filters: no rule is named tye")


def test_the_limit_reads_the_first_rows_only(front: Front) -> None:
    rows = [{**GOOD, "prompt": str(n)} for n in range(10)]
    assert front.fetch(write(front.root / "a.jsonl", lines(*rows)), limit=4) == 0
    assert front.manifest()["rows"] == 4


def test_identical_native_rows_get_ids_of_their_own(front: Front) -> None:
    assert front.fetch(write(front.root / "a.jsonl", lines(GOOD, GOOD, GOOD))) == 0
    rows = pl.read_parquet(front.at("n.parquet"))["source_row"].to_list()
    assert rows == [rows[0], f"{rows[0]}-1", f"{rows[0]}-2"]
    assert front.standardize() == 0
    assert front.rules("r.parquet") == ["duplicate", "duplicate"]
