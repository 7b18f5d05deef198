"""Rules and formats are checked when a recipe is read, but are no part of each stage's code."""

from __future__ import annotations

from pipelines.core import code
from pipelines.core.params import registries


def test_every_rule_of_a_ledger_is_known() -> None:
    known = registries.rules()
    for rule in ("tie", "held_out", "history_cap", "invalid_json", "no_scores", "review_drop"):
        assert rule in known


def test_reading_params_does_not_take_in_the_code_of_rules() -> None:
    files = code.Code(code.ROOT).files("pipelines.core.params")
    assert "pipelines/core/params/registries.py" in files
    assert not [name for name in files if name.startswith(("curation/rules", "curation/sources"))]
