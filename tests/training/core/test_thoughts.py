from __future__ import annotations

import copy

from tests.training import real_tokenizers
from training.core import thoughts
from training.core.chat_template import ChatTemplate

ASKED = {"role": "user", "content": "Name a bird."}
SAID = {"role": "assistant", "content": "<think>\nshort\n</think>\n\nA wren."}


def test_thoughts_in_front_are_taken_apart_from_an_answer_alone() -> None:
    assert thoughts.apart(SAID) == {
        "role": "assistant", "content": "A wren.", "reasoning_content": "short",
    }  # fmt: skip
    for other in (
        {"role": "user", "content": SAID["content"]},
        {"role": "assistant", "content": "A <think>x</think> wren."},
        {"role": "assistant", "content": "<think>never closed"},
    ):
        assert thoughts.apart(other) == other


def test_a_second_block_is_seen_where_the_template_can_be_given_the_first() -> None:
    def written(messages: list[dict[str, str]]) -> str:
        last = messages[-1]
        return f"<think>{last.get('reasoning_content', '')}</think>{last['content']}"

    assert thoughts.doubled(written)
    assert not thoughts.doubled(lambda messages: messages[-1]["content"])
    assert not thoughts.doubled(lambda messages: f"<think></think>{messages[-1]['content']}")


def test_qwen3_8_thinks_once() -> None:
    tokenizer = copy.deepcopy(real_tokenizers.load("qwen3"))
    tokenizer.chat_template = real_tokenizers.trl_template("qwen3_8")
    template = ChatTemplate(tokenizer)
    ids = template.encode([ASKED, SAID])
    assert ids.count(tokenizer.convert_tokens_to_ids("<think>")) == 1
    assert tokenizer.decode(ids).endswith("assistant\n" + SAID["content"] + "<|im_end|>")
    prompt = template.encode([ASKED], True)
    assert prompt + template.completions([SAID["content"]])[0] == ids
    (kept, said) = template.encode_answers([[ASKED, SAID]])[0]
    assert kept == ids
    assert sum(said) == len(ids) - len(prompt)
