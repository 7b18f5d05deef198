from __future__ import annotations

import copy
from datetime import date
from typing import Any

import pytest

from curation.core.errors import UserError
from training.core.chat_template import ChatTemplate
from training.core.template_source import folded, pinned

TALK = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "dog?"}]
NO_SYSTEM = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}"
    "{% endif %}{% for m in messages %}<|user|>{{ m.role }}:{{ m.content }}<|end|>{% endfor %}"
)


def test_calls_of_the_clock_become_one_day() -> None:
    source = """{% if x %}{{ strftime_now("%d %b %Y") ~ strftime_now('%Y-%m-%d') }}{% endif %}"""
    day = pinned(source, date(2026, 1, 5))
    assert day == "{% if x %}{{ '05 Jan 2026' ~ '2026-01-05' }}{% endif %}"


def with_source(tokenizer: Any, source: str) -> ChatTemplate:
    other = copy.deepcopy(tokenizer)
    other.chat_template = source
    return ChatTemplate(other)


def test_another_day_is_another_template(tokenizer: Any) -> None:
    source = "{{ strftime_now('%d') }}" + tokenizer.chat_template
    one, two = (with_source(tokenizer, pinned(source, date(2026, 1, day))) for day in (5, 6))
    assert one.sha != two.sha


def test_a_refused_system_message_is_one_line(tokenizer: Any) -> None:
    with pytest.raises(UserError, match=r"System role not supported.*'Be brief.'.*base.system"):
        with_source(tokenizer, NO_SYSTEM).encode(TALK)


def test_a_system_message_is_folded_into_the_first_users(tokenizer: Any) -> None:
    template = with_source(tokenizer, folded(NO_SYSTEM))
    joined = [{"role": "user", "content": "Be brief.\n\ndog?"}]
    assert template.encode(TALK) == with_source(tokenizer, NO_SYSTEM).encode(joined)
    assert template.encode(TALK[1:]) == with_source(tokenizer, NO_SYSTEM).encode(TALK[1:])
    assert folded(folded(NO_SYSTEM)) == folded(NO_SYSTEM)
