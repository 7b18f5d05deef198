"""The file of a loop's policies: written by who trains one, checked when read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curation.core.errors import UserError
from pipelines.core.stage import Stage
from pipelines.shared import policies
from training.core import checkpoint

KEY = "iterations.iter2.also"


@pytest.fixture
def files(base: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The policies sft and iter1, and the file of each."""
    for name, scale in (("sft", 1.0), ("iter1", 1.5)):
        model = checkpoint.load_policy(base)
        model.lm_head.weight.data *= scale
        checkpoint.save(tmp_path / name, model, checkpoint.load_tokenizer(base), {"policy": name})
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    for file, name, before in ((first, "sft", None), (second, "iter1", first)):
        run = Stage("demo", __name__)
        policies.write(run, file, name, tmp_path / name, before)
        run.outputs.commit()
    return first, second


def test_a_policy_s_file_holds_it_and_its_ancestors(files: tuple[Path, Path]) -> None:
    first, second = (json.loads(file.read_text()) for file in files)
    assert (sorted(first), sorted(second)) == (["sft"], ["iter1", "sft"])
    assert first["sft"] == second["sft"] != second["iter1"]


def test_an_ancestor_is_found(files: tuple[Path, Path], tmp_path: Path) -> None:
    assert policies.find(files[1], "sft", KEY) == tmp_path / "sft"


def test_what_the_file_does_not_vouch_for_is_refused(
    files: tuple[Path, Path], base: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"iterations\.iter2\.also: give --policies"):
        policies.find(None, "sft", KEY)
    with pytest.raises(UserError, match="has no policy iter1, which"):
        policies.find(files[0], "iter1", KEY)
    model = checkpoint.load_policy(base)
    model.lm_head.weight.data *= 2.0
    checkpoint.save(tmp_path / "sft", model, checkpoint.load_tokenizer(base), {"policy": "sft"})
    with pytest.raises(UserError, match="sft: is not the checkpoint that"):
        policies.find(files[1], "sft", KEY)
