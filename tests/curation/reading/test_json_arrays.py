"""JSON arrays read an item at a time: what the standard library reads, whatever the chunks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.core.errors import UserError
from curation.reading import json_arrays

texts = st.text(st.sampled_from('ab"\\[]{},: \né\u2028'), max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def items(content: bytes, size: int) -> list[bytes]:
    chunks = (content[start : start + size] for start in range(0, len(content), size))
    return list(json_arrays.items(Path("a.json"), chunks))


@given(st.lists(values, max_size=6), st.integers(1, 40), st.sampled_from([None, 2]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_the_items_are_those_of_the_array(
    whole: list[Any], size: int, indent: int | None, escaped: bool
) -> None:
    content = json.dumps(whole, indent=indent, ensure_ascii=escaped).encode()
    assert [json.loads(item) for item in items(b" \n" + content + b"\n", size)] == whole


@pytest.mark.parametrize(
    "content", [b"[", b"[1, 2", b'[{"a": "b]"', b'["a\\"]', b"[1] 2", b"[[1]]]"]
)
def test_what_is_no_whole_array_is_an_error(content: bytes) -> None:
    for size in (1, 3, 99):
        with pytest.raises(UserError, match="not a whole JSON array"):
            items(content, size)


def test_an_item_that_is_no_json_spoils_no_other() -> None:
    assert items(b'[{"a": 1} {"b": 2}, , {"c": 3}, ]', 5) == [
        b'{"a": 1} {"b": 2}',
        b"",
        b'{"c": 3}',
        b"",
    ]


def test_one_item_of_many_chunks_is_not_searched_once_a_chunk() -> None:
    long = b'["' + b"x" * 3_000_000 + b'"]'
    assert items(long, 1_000) == [long[1:-1]]
