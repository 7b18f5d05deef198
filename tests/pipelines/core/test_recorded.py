"""Under DVC a stage runs only the code whose hash DVC will record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curation.core.errors import UserError
from pipelines.core import recorded
from pipelines.core.code import ROOT, Code

PAIR, GATE = "pipelines.stages.pair", "pipelines.stages.gate"


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """data/code.json as the stage `code` would write it now."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_STAGE", "pair@iter1")
    code = Code(ROOT)
    found = {"pair": recorded.hash_of(code, PAIR), "gate": recorded.hash_of(code, GATE)}
    recorded.HASHES.parent.mkdir()
    recorded.HASHES.write_text(json.dumps(found), "utf-8")
    return recorded.HASHES


def test_the_code_of_the_hash_runs(told: Path) -> None:
    recorded.same_code(PAIR)
    recorded.same_code(GATE)
    recorded.same_code("benchmarks.claims_bench.stage")  # has no hash there


def test_other_code_is_refused_under_dvc_alone(told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told.write_text(told.read_text().replace('"pair": "', '"pair": "0'), "utf-8")
    with pytest.raises(UserError, match=r"data/code\.json: the code of pipelines\.stages\.pair"):
        recorded.same_code(PAIR)
    monkeypatch.delenv("DVC_STAGE")
    recorded.same_code(PAIR)


def test_only_the_gate_reads_checks() -> None:
    code = Code(ROOT)
    assert not any(name.startswith("curation/gates/checks/") for name in code.files(PAIR))
    checks = [name for name in code.files(GATE) if name.endswith(".sql")]
    assert len(checks) > 40
