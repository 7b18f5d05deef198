"""What a build's JSON files say: gates, expectations, figures, manifests, checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.audit import catalog
from curation.core.errors import UserError


def test_gates_and_expectations_are_checks(build: Path) -> None:
    found = catalog.checks(catalog.documents(build))
    verdicts = {(check.gate, check.check): check.passed for check in found}
    assert verdicts["mixes/mix1/checks", "no_tie"] is False
    assert verdicts["gates/source_preference/shp", "no_tie"] is True
    assert verdicts["expectations/sources", "expect_rows n"] is True


def test_figures_are_flat_and_hold_no_gates(build: Path) -> None:
    found = catalog.metrics(catalog.documents(build))
    assert ("evaluation/sft/metrics", "kl.mean", 0.5, "0.5") in found
    assert not [row for row in found if "checks" in row[0] or "expectations" in row[0]]


def test_of_a_checkpoint_only_its_note_is_read(build: Path) -> None:
    found = catalog.documents(build)
    assert "checkpoints/sft/prefloop.json" in found
    assert "checkpoints/sft/config.json" not in found
    assert [row["checkpoint"] for row in catalog.checkpoints(found)] == ["sft"]


def test_the_sample_and_the_report_are_no_build(build: Path) -> None:
    for folder in ("sample", "report", "docs"):
        (build / folder).mkdir()
        (build / folder / "x.json").write_text("{}")
    assert not [path for path in catalog.documents(build) if path.endswith("x.json")]


def test_files_are_listed_in_one_order(build: Path) -> None:
    found = catalog.tables(build)["preferences"]
    assert [file.parent.name for file in found] == ["hh_rlhf", "shp"]
    assert catalog.tables(build)["sft"] == []


def test_broken_json_names_its_file(build: Path) -> None:
    (build / "mixes" / "mix1" / "metrics.json").write_text("{")
    with pytest.raises(UserError, match=r"mix1/metrics\.json"):
        catalog.documents(build)
