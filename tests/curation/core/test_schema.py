"""Every table has a grain sentence, a key among its required columns and documented columns."""

from __future__ import annotations

import pytest

from curation.core.schema import TABLES, Table


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_table_is_whole(table: Table) -> None:
    assert table.grain.startswith("One ")
    assert table.grain.endswith(".")
    assert set(table.key) <= set(table.required)
    assert len(set(table.names)) == len(table.names)
    assert all(column.doc.endswith(".") for column in table.columns)
    assert table.empty().schema == table.polars
