"""Sets that people use are not called broken, and their known oddities are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.shared import linting

DATA = Path("../shared/data")


@pytest.mark.parametrize(
    ("file", "form", "rows", "told"),
    [
        ("ultrafeedback/binarized_1000.jsonl.gz", "ultrafeedback_binarized", 1000, {"tie": 111}),
        ("hh_rlhf/harmless-base_test.jsonl.gz", "hh_rlhf", 2312, {"unequal_prompts": 5}),
        ("dpo_demo/sharegpt_dpo_300.json.gz", "sharegpt_pairs", 300, {"duplicate": 5}),
        ("sft/gpteacher_codegen.json.gz", "gpteacher", 4535, {}),
    ],
)
def test_nothing_is_major(
    tmp_path: Path, file: str, form: str, rows: int, told: dict[str, int]
) -> None:
    if not (DATA / file).is_file():
        pytest.skip(f"{DATA / file} is not here")
    [report] = linting.reports(str(DATA / file), tmp_path, None)
    assert (report.form, report.rows) == (form, rows)
    assert report.worst() == "MINOR"
    found = {one.check: one.count for one in report.findings}
    assert {name: found[name] for name in told} == told
