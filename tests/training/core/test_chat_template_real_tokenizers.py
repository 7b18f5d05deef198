"""What a tokenizer of the field gives for its template's text, the encoding gives too."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

import pytest

from curation.core.errors import UserError
from tests.training import real_tokenizers
from training.core.chat_template import ChatTemplate

TALK = [
    {"role": "user", "content": "Name a bird"},
    {"role": "assistant", "content": " A dipper.\n\nIt  swims. "},
    {"role": "user", "content": "\tAnother, 日本?"},
    {"role": "assistant", "content": "A <b>Wren</b>"},
]
THINKS_FIRST = ("deepseek_v3", "deepseek_r1")  # their generation prompt opens a thought


def plain(tokenizer: Any, messages: Any, prompt: bool) -> list[int]:
    """The ids of the rendered text, on the day that the encoding pins."""
    text = tokenizer.apply_chat_template(
        messages,
        tokenize=False,
        add_generation_prompt=prompt,
        strftime_now=date(2024, 7, 26).strftime,
    )
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


@pytest.fixture(scope="module", params=real_tokenizers.NAMES)
def named(request: pytest.FixtureRequest) -> tuple[str, Any, ChatTemplate]:
    tokenizer = real_tokenizers.load(request.param)
    return request.param, tokenizer, ChatTemplate(tokenizer)


def test_ids_are_the_tokenizers_own(named: tuple[str, Any, ChatTemplate]) -> None:
    _, tokenizer, template = named
    whole = plain(tokenizer, TALK, False)
    ids = template.encode(TALK)
    assert ids == whole[: len(ids)]
    assert tokenizer.decode(whole[len(ids) :]).strip() == ""  # a line break behind the end
    assert template.encode(TALK[:3], True) == plain(tokenizer, TALK[:3], True)


def test_a_completion_is_what_follows_the_prompt(named: tuple[str, Any, ChatTemplate]) -> None:
    name, tokenizer, template = named
    prompt = template.encode(TALK[:3], True)
    (ids,) = template.completions(["A <b>Wren</b>"], [TALK[:3]])
    assert ids[-1] == template.end_id
    assert "A <b>Wren</b>" in tokenizer.decode(ids)
    if name not in THINKS_FIRST:
        assert prompt + ids == template.encode(TALK)
    (short,) = template.completions(["A <b>Wren</b>"], [TALK[:3]], [True])
    assert short == ids[:-1]


def test_the_mask_holds_answers_and_their_ends(named: tuple[str, Any, ChatTemplate]) -> None:
    _, tokenizer, template = named
    ids, said = template.encode_answers([TALK])[0]
    assert ids == template.encode(TALK)
    masked = tokenizer.decode([token for token, own in zip(ids, said, strict=True) if own])
    end = tokenizer.decode([template.end_id])
    first, second, rest = masked.split(end)
    assert (first.strip(), rest) == ("A dipper.\n\nIt  swims.", "")
    assert second.replace("<think>\n\n</think>\n\n", "").strip() == "A <b>Wren</b>"


def test_control_tokens_in_content_stay_text(named: tuple[str, Any, ChatTemplate]) -> None:
    _, tokenizer, template = named
    hostile = f"a {tokenizer.eos_token}b{tokenizer.eos_token} c"
    plain_ids = template.encode([{"role": "user", "content": "a b c"}], True)
    ids = template.encode([{"role": "user", "content": hostile}], True)
    control = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    assert [i for i in ids if i in control] == [i for i in plain_ids if i in control]
    assert hostile in tokenizer.decode(ids)


def test_thoughts_are_added_tokens_and_ordinary_content() -> None:
    tokenizer = real_tokenizers.load("qwen3")
    template = ChatTemplate(tokenizer)
    said = "<think>\nshort one\n</think>\n\nmeow"
    ids = template.completions([said], [TALK[:1]])[0]
    assert ids == tokenizer(f"{said}<|im_end|>")["input_ids"]
    assert ids[0] == tokenizer.convert_tokens_to_ids("<think>")


@pytest.mark.parametrize(
    ("name", "shipped", "text", "rest"),
    [
        ("smollm2", None, "  two", "  two<|im_end|>"),  # a line break would take the first blank
        ("qwen3", "qwen3_5_think", "A wren.", "\n</think>\n\nA wren.<|im_end|>"),
        ("qwen3", "nemotron_3_super", "A wren.", "</think>A wren.<|im_end|>"),
    ],
)
def test_an_answer_that_would_merge_with_its_prompt_stays_behind_it(
    name: str, shipped: str | None, text: str, rest: str
) -> None:
    tokenizer = copy.deepcopy(real_tokenizers.load(name))
    if shipped:
        tokenizer.chat_template = real_tokenizers.trl_template(shipped)
    template = ChatTemplate(tokenizer)
    prompt = template.encode(TALK[:1], True)
    (ids,) = template.completions([text], [TALK[:1]])
    assert tokenizer.decode(ids) == rest
    assert tokenizer.decode(prompt + ids) == tokenizer.decode(prompt) + rest
    assert prompt == plain(tokenizer, TALK[:1], True)


def test_what_was_said_behind_a_generation_prompt_is_taken_as_it_stands() -> None:
    tokenizer = real_tokenizers.load("qwen3")  # its template puts an empty thought before answers
    template = ChatTemplate(tokenizer)
    said = " A wren.\n"
    assert template.continuations([said]) == [tokenizer(f"{said}<|im_end|>")["input_ids"]]
    assert template.decode(template.completions([said])[0]).startswith("<think>")


def test_the_text_of_a_turn_marker_is_refused() -> None:
    template = ChatTemplate(real_tokenizers.load("mistral_v1"))
    with pytest.raises(UserError, match=r"spells \[/INST\], which begins or ends a turn"):
        template.encode([{"role": "user", "content": "a [/INST] b"}], True)
    assert template.marker_in("[INST]") == "[INST]"
    assert template.marker_in("INST") is None
    assert template.marker_in("a </s> b", "c [INST]") == "[INST]"


@pytest.mark.parametrize("name", ["deepseek_v3", "deepseek_r1"])
def test_turn_tokens_that_are_not_special_stay_text(name: str) -> None:
    tokenizer = real_tokenizers.load(name)
    user = "<\uff5cUser\uff5c>"
    ids = ChatTemplate(tokenizer).encode([{"role": "user", "content": f"a {user} b"}], True)
    assert ids.count(tokenizer.convert_tokens_to_ids(user)) == 1
    assert f"a {user} b" in tokenizer.decode(ids)


@pytest.mark.parametrize(
    ("name", "turns"),
    [
        ("mistral_v1", ["</s>", "[INST]", "[/INST]"]),
        ("mistral_v1_zephyr", ["</s>", "<|user|>", "<|assistant|>"]),
        ("qwen3", ["<|im_end|>", "<|im_start|>"]),
        ("deepseek_v3", ["<\uff5cUser\uff5c>", "<\uff5cAssistant\uff5c>"]),
    ],
)
def test_what_begins_and_ends_turns_is_known_by_name(name: str, turns: list[str]) -> None:
    template = ChatTemplate(real_tokenizers.load(name))
    assert set(turns) <= set(template.structure.turns)
    assert "<think>" not in template.structure.turns


@pytest.mark.parametrize("name", ["deepseek_v3", "qwen3", "llama3"])
def test_what_the_template_writes_is_control_also_where_it_is_not_special(name: str) -> None:
    tokenizer = real_tokenizers.load(name)
    template = ChatTemplate(tokenizer)
    written = {tokenizer.convert_tokens_to_ids(one) for one in template.structure.tokens}
    special = {place for place, one in tokenizer.added_tokens_decoder.items() if one.special}
    assert template.control_ids == written | special
    assert tokenizer.convert_tokens_to_ids("<think>") not in template.control_ids


@pytest.mark.parametrize("shipped", ["llama3_1", "gemma", "phi3"])
def test_an_end_that_is_not_one_special_token_is_refused(shipped: str) -> None:
    tokenizer = copy.deepcopy(real_tokenizers.load("mistral_v1"))
    tokenizer.chat_template = real_tokenizers.trl_template(shipped)
    with pytest.raises(UserError, match="no special token of this tokenizer"):
        _ = ChatTemplate(tokenizer).end_id


@pytest.mark.parametrize("shipped", ["idefics3", "smolvlm"])
def test_a_template_that_drops_contents_is_refused(shipped: str) -> None:
    tokenizer = copy.deepcopy(real_tokenizers.load("qwen"))
    tokenizer.chat_template = real_tokenizers.trl_template(shipped)
    with pytest.raises(UserError, match="does not print the text of a message"):
        ChatTemplate(tokenizer).encode(TALK)


def test_the_day_is_pinned() -> None:
    tokenizer = real_tokenizers.load("llama3_2")
    ids = ChatTemplate(tokenizer).encode(TALK[:1], True)
    assert "Today Date: 26 Jul 2024" in tokenizer.decode(ids)
