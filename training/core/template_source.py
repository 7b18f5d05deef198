"""A chat template's text made independent of the clock, and of whether it knows system messages."""

from __future__ import annotations

import re
from datetime import date

DATE = date(2024, 7, 26)  # what Llama 3's template itself prints where no clock is to be had

_CALL = re.compile(r"""strftime_now\(\s*(["'])((?:(?!\1).)*)\1\s*\)""")
_FOLD = """\
{%- if messages and messages[0]['role'] == 'system' -%}
{%- if messages | length > 1 and messages[1]['role'] == 'user' -%}
{%- set messages = [{'role': 'user', 'content': messages[0]['content'] ~ '\\n\\n' ~ \
messages[1]['content']}] + messages[2:] -%}
{%- else -%}
{{- raise_exception('A system message must be followed by one of the user') -}}
{%- endif -%}
{%- endif -%}
"""


def pinned(source: str, day: date = DATE) -> str:
    """The template with its calls of the clock replaced by one day.

    Templates of Llama 3.2, SmolLM3 and gpt-oss print today's date, so that the same conversation
    has other tokens at midnight. Pinned in its text, every reader of the checkpoint agrees.
    """

    def printed(call: re.Match[str]) -> str:
        text = day.strftime(call[2]).replace("\\", "\\\\").replace("'", "\\'")
        return f"'{text}'"

    return _CALL.sub(printed, source)


def folded(source: str) -> str:
    """The template with a leading system message put in front of the first user's content."""
    return source if source.startswith(_FOLD) else _FOLD + source
