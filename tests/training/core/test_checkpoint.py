from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from curation.core.errors import UserError
from tests.models import TEXTS
from training.core import checkpoint
from training.core.chat_template import ChatTemplate
from training.core.origin import Origin
from training.core.settings import Architecture
from training.trainers import base as base_model

SHAPE = Architecture(32, 48, 1, 2, 1, max_position=64)


def test_a_linked_checkpoint_shares_its_bytes_under_its_own_card(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha = checkpoint.link(base, tmp_path / "pi0", {"kind": "policy", "name": "sft"})
    assert sha == checkpoint.weights_sha(tmp_path / "pi0") == checkpoint.weights_sha(base)
    for file in base.iterdir():
        assert (tmp_path / "pi0" / file.name).samefile(file) == (file.name != checkpoint.CARD)
    card, first = checkpoint.card(tmp_path / "pi0"), checkpoint.card(base)
    assert card == {**first, "kind": "policy", "name": "sft"}
    assert first["kind"] == "base"

    def refused(self: Path, target: Path) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    checkpoint.link(base, tmp_path / "copied", {"kind": "policy"})
    weights = tmp_path / "copied/model.safetensors"
    assert not weights.samefile(base / "model.safetensors")
    assert weights.read_bytes() == (base / "model.safetensors").read_bytes()


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        base_model.from_scratch(tmp_path / name, TEXTS, 300, SHAPE, seed=9)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert {"model.safetensors", "tokenizer.json", "prefloop.json", "chat_template.jinja"} <= set(
        files
    )
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_failed_save_leaves_the_old_checkpoint(
    base: Path, tokenizer: Any, tmp_path: Path
) -> None:
    path = tmp_path / "kept"
    shutil.copytree(base, path)
    before = checkpoint.weights_sha(path)
    with pytest.raises(ZeroDivisionError):
        write_half(path)
    assert checkpoint.weights_sha(path) == before
    assert [item.name for item in tmp_path.iterdir()] == ["kept"]


def write_half(path: Path) -> None:
    with checkpoint.folder(path) as temp:
        (temp / "model.safetensors").write_bytes(b"half")
        raise ZeroDivisionError


def test_saving_again_replaces_the_whole_folder(base: Path, tokenizer: Any, tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.mkdir()
    (path / "stale.txt").write_text("old")
    checkpoint.save(path, checkpoint.load_policy(base), tokenizer, {"kind": "policy"})
    assert not (path / "stale.txt").exists()
    card = checkpoint.card(path)
    assert card["weights_sha"] == checkpoint.weights_sha(path)
    assert card["determinism"].startswith(("cpu, ", "cuda"))
    assert checkpoint.weights_sha(path) == checkpoint.weights_sha(base)


def test_pad_differs_from_end(tokenizer: Any) -> None:
    assert tokenizer.pad_token_id != tokenizer.eos_token_id


def test_missing_parts_are_named(tmp_path: Path) -> None:
    for load in (checkpoint.load_policy, checkpoint.load_tokenizer, checkpoint.weights_sha):
        with pytest.raises(UserError, match="run the stage"):
            load(tmp_path)


def test_a_model_of_others_is_taken_as_it_is(base: Path, tmp_path: Path) -> None:
    base_model.from_source(
        tmp_path / "copy", Origin(str(base), str(base)), base_model.Chat(), False
    )
    assert checkpoint.weights_sha(tmp_path / "copy") == checkpoint.weights_sha(base)
    with pytest.raises(UserError, match=r"base.uri: no/such"):
        base_model.from_source(
            tmp_path / "none", Origin("no/such", "no/such"), base_model.Chat(), False
        )


def test_a_policy_names_every_end_and_a_generation_config_that_is_read_is_written(
    base: Path, tmp_path: Path
) -> None:
    tokenizer = checkpoint.load_tokenizer(base)
    other = tmp_path / "other"
    shutil.copytree(base, other)
    file = other / "generation_config.json"
    told = json.loads(file.read_text("utf-8"))
    ends = {"eos_token_id": [tokenizer.eos_token_id, 7], "temperature": 0.6, "do_sample": False}
    file.write_text(json.dumps(told | ends), "utf-8")
    checkpoint.save(tmp_path / "saved", checkpoint.load_policy(other), tokenizer, {})
    written = json.loads((tmp_path / "saved/generation_config.json").read_text("utf-8"))
    assert set(written["eos_token_id"]) == {
        tokenizer.eos_token_id,
        ChatTemplate(tokenizer).end_id,
        7,
    }
    assert written["temperature"] == 0.6
