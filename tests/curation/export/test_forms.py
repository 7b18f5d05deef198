"""What is exported comes back as the same comparisons through the generic forms."""

from __future__ import annotations

import polars as pl
import pytest

from curation.core.schema import MESSAGES
from curation.export.forms import FORMS
from curation.reading import native
from curation.sources.formats import FORMATS


@pytest.mark.parametrize("name", ["trl", "rlhflow"])
def test_an_exported_pair_reads_back_as_itself(name: str) -> None:
    said = [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}]
    row = {
        "prompt": said,
        "chosen": [{"role": "assistant", "content": "x"}],
        "rejected": [{"role": "assistant", "content": "y"}],
    }
    types = dict.fromkeys(row, MESSAGES)
    pairs = pl.DataFrame([{**row, "pair_id": "p"}], schema={**types, "pair_id": pl.String})
    written = FORMS[name](pairs.lazy()).collect()
    seen, held = native.peek(iter(written.to_dicts()))
    layout = native.choose_layout(FORMATS[name], seen, {}, "test")
    frames = native.typed_frames(held, layout, {}, native.Ledger())
    item = (
        layout.expand(native.with_row_ids(pl.concat(frames).lazy()), {})
        .collect()
        .row(0, named=True)
    )
    assert (item["prompt"], item["chosen"], item["rejected"]) == (said, "x", "y")
