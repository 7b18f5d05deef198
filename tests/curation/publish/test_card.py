from __future__ import annotations

from curation.publish.card import cell, hub_ids, licence_fields, size_category
from curation.publish.licences import Combined

EVIL = "a|b <script>alert(1)</script>\n\n# heading [x](javascript:y) `code` &amp;"


def test_a_cell_is_one_line_of_text_whatever_it_holds() -> None:
    made = str(cell(EVIL))
    assert "\n" not in made
    assert "<" not in made
    assert r"a\|b" in made
    assert r"\[x\](javascript:y)" in made
    assert "&amp;amp;" in made


def test_numbers_are_for_reading() -> None:
    made = [str(cell(value)) for value in (None, True, 12345, 0.123456, float("nan"))]
    assert made == ["", "true", "12,345", "0.1235", "not a number"]


def test_ids_of_the_hub_come_from_the_uris() -> None:
    rows = [
        {"from": "hf://org/set/a.parquet"},
        {"from": "hf://datasets/org/other/b.jsonl"},
        {"from": "data/x"},
    ]
    assert hub_ids(rows) == ["org/other", "org/set"]


def test_the_header_says_the_licence_and_the_size_as_the_hub_does() -> None:
    assert licence_fields(Combined("mit")) == {"license": "mit"}
    assert licence_fields(Combined("other", "cc-by-nc-4.0 and llama3")) == {
        "license": "other",
        "license_name": "cc-by-nc-4.0-and-llama3",
    }
    assert [size_category(n) for n in (0, 999, 1000, 10**9)] == [
        "n<1K",
        "n<1K",
        "1K<n<10K",
        "n>100M",
    ]
