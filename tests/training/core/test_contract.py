"""What the contract says of real tokenizers, and of models that would train on other tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.training import real_tokenizers
from training.core import contract
from training.trainers import tokenizer as own

TRIMS = "text survives encoding"
SYSTEM = "system messages"
WHOLE = "prompt + completion = conversation"
ANSWERS = "answers hold no control token"
PAD = "padding is no end of turn"
EARLY = "earlier turns stay as they were"
CLOCK = "nothing depends on the clock"
END = "one end of turn, a special token"
SAME = "all stop at the same token"
BOS = "one BOS at most"

NOTED = {
    "llama3": {TRIMS},
    "llama3_2": {TRIMS, CLOCK},
    "mistral_v1_zephyr": {TRIMS},
    "mistral_v1": {WHOLE, TRIMS, SYSTEM},
    "mistral_v3": {TRIMS, SYSTEM},
    "mistral_v7": {TRIMS, SYSTEM},
    "llama2": {TRIMS},
    "vicuna": set(),
    "tekken": {SYSTEM},
    "gemma": {TRIMS, SYSTEM},
    "gpt2": {TRIMS},
    "qwen": set(),
    "qwen3": {TRIMS, EARLY},
    "deepseek_v3": {WHOLE},
    "deepseek_r1": {WHOLE},
    "smollm2": set(),
}
BROKEN = {name: {PAD} for name in ("deepseek_v3", "deepseek_r1", "smollm2", "gpt2")}
BROKEN["gemma"] = {SAME}  # as gemma-2b-it is published: generation stops at <eos> alone


def saved(tokenizer: Any, folder: Path, ends: list[int] | None = None) -> Path:
    """A folder with what the contract reads of a checkpoint."""
    tokenizer.save_pretrained(folder)
    told = {"eos_token_id": [tokenizer.eos_token_id] if ends is None else ends}
    (folder / "generation_config.json").write_text(json.dumps(told))
    return folder


def of_verdict(found: list[contract.Finding], verdict: str) -> set[str]:
    return {one.promise for one in found if one.verdict == verdict}


@pytest.fixture
def tiny() -> Any:
    return own.train(["A wren and a finch."], 300)


def test_every_promise_holds_of_the_projects_own_tokenizer(tiny: Any, tmp_path: Path) -> None:
    found = contract.check(saved(tiny, tmp_path))
    assert {one.promise: one.verdict for one in found} == dict.fromkeys(contract.PROMISES, "holds")


@pytest.mark.parametrize("name", real_tokenizers.KINDS)
def test_of_real_tokenizers_only_what_is_handled_is_noted(name: str, tmp_path: Path) -> None:
    found = contract.check(saved(real_tokenizers.load(name), tmp_path))
    assert of_verdict(found, "noted") == NOTED[name]
    assert of_verdict(found, "broken") == BROKEN.get(name, set())


def test_a_template_that_begins_answers_with_control_tokens_is_broken_for_a_policy(
    tiny: Any, tmp_path: Path
) -> None:
    tiny.chat_template = (
        "{% for m in messages %}<|user|>{{ 'final<|assistant|>' if m.role == 'assistant' }}"
        "{{ m.content }}<|end|>{% endfor %}{{ '<|user|>' if add_generation_prompt }}"
    )
    folder = saved(tiny, tmp_path)
    (wrong,) = [one for one in contract.check(folder) if one.promise == ANSWERS]
    assert wrong.verdict == "broken"
    assert "begins answers with 'final<|assistant|>'" in wrong.detail
    assert ANSWERS in of_verdict(contract.check(folder, trained=False), "noted")


def test_a_judge_that_others_made_may_pad_with_its_end(tmp_path: Path) -> None:
    found = contract.check(saved(real_tokenizers.load("smollm2"), tmp_path), trained=False)
    assert of_verdict(found, "broken") == set()
    assert PAD in of_verdict(found, "noted")


def test_a_template_of_another_tokenizer_ends_turns_with_plain_text(
    tiny: Any, tmp_path: Path
) -> None:
    tiny.chat_template = own.template("llama3")  # its <|eot_id|> is `<`, `|`, `e` ... here
    found = {one.promise: one for one in contract.check(saved(tiny, tmp_path))}
    assert found[END].verdict == "broken"
    assert "no special token" in found[END].detail


def test_an_end_that_only_the_template_knows_is_broken(tiny: Any, tmp_path: Path) -> None:
    """As a base model is published with a chat model's template."""
    pad = tiny.pad_token_id
    found = {one.promise: one for one in contract.check(saved(tiny, tmp_path, ends=[pad]))}
    assert found[SAME].verdict == "broken"
    assert found[SAME].detail == (
        "a turn ends with '<|end|>', but generation_config.json names '<|pad|>'"
    )


def test_two_bos_are_broken(tiny: Any, tmp_path: Path) -> None:
    tiny.chat_template = "{{ bos_token }}" + tiny.chat_template
    assert BOS in of_verdict(contract.check(saved(tiny, tmp_path)), "broken")


def test_a_system_message_that_is_dropped_is_broken(tiny: Any, tmp_path: Path) -> None:
    rest = "{%- set messages = messages | rejectattr('role', 'equalto', 'system') | list -%}"
    tiny.chat_template = rest + tiny.chat_template
    assert of_verdict(contract.check(saved(tiny, tmp_path)), "broken") == {SYSTEM}


def test_a_clock_that_cannot_be_pinned_is_broken(tiny: Any, tmp_path: Path) -> None:
    clock = "{%- set form = '%Y' -%}{{- strftime_now(form) -}}"
    tiny.chat_template = tiny.chat_template.replace("<|end|>", "<|end|>" + "", 1) + clock
    assert CLOCK in of_verdict(contract.check(saved(tiny, tmp_path)), "broken")
