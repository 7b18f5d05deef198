"""Chat templates: those that TRL ships, and a few of models that TRL has none of."""

from __future__ import annotations

from benchmarks.matrix.packages import shipped

ZEPHYR = (
    "{% for m in messages %}{{ '<|' ~ m.role ~ '|>\n' ~ m.content ~ eos_token }}"
    "{{ '\n' if m.role != 'assistant' }}{% endfor %}"
    "{{ '<|assistant|>\n' if add_generation_prompt }}"
)
MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]"
    "{% elif m.role == 'assistant' %}{{ m.content + eos_token }}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported') }}"
    "{% endif %}{% endfor %}"
)
LLAMA2 = (
    "{% for m in messages %}{% if m.role == 'user' %}{{ bos_token }}[INST] {{ m.content.strip() }}"
    " [/INST]{% else %} {{ m.content.strip() }} {{ eos_token }}{% endif %}{% endfor %}"
)
VICUNA = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}USER: {{ m.content }} "
    "{% else %}ASSISTANT: {{ m.content }}{{ eos_token }}{% endif %}{% endfor %}"
    "{{ 'ASSISTANT:' if add_generation_prompt }}"
)
GPT2 = (  # a base model whose one control token ends texts, and so turns
    "{% for m in messages %}{{ m.role ~ ': ' ~ m.content ~ eos_token }}{% endfor %}"
    "{{ 'assistant:' if add_generation_prompt }}"
)


def of_trl(name: str) -> str:
    """The text of a chat template that TRL ships.

    Raises:
        NotInstalledError: TRL is not installed.
    """
    return shipped("trl", "chat_templates", f"{name}.jinja").read_text("utf-8")


def names_of_trl() -> list[str]:
    """Every chat template that TRL ships, by name."""
    return sorted(file.stem for file in shipped("trl", "chat_templates").glob("*.jinja"))
