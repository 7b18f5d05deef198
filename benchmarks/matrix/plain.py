"""What is compared with: transformers alone, one sequence at a time, none of the project's code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

Messages = list[dict[str, str]]
_WORD = "Zebrafinch"


class Plain:
    """A checkpoint's tokenizer, as `tokenizer(apply_chat_template(...))` reads conversations."""

    def __init__(self, path: Path) -> None:
        from transformers import AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(path)
        control = self.tokenizer.added_tokens_decoder.items()
        self._control = {int(token) for token, one in control if one.special}
        asked = [{"role": "user", "content": "Name a bird."}]
        said = self._render([*asked, {"role": "assistant", "content": _WORD}], False)
        self._tail = said.rpartition(_WORD)[2]
        self.end = next(token for token in self._ids(self._tail) if token in self._control)

    def prompt(self, messages: Messages) -> list[int]:
        """Ids of what asks for an answer."""
        return self._ids(self._render(messages, True))

    def answer(self, messages: Messages, text: str, *, cut: bool) -> tuple[list[int], bool]:
        """Ids of an answer behind those of its prompt, and whether they make the conversation.

        Some templates write a past answer otherwise than they ask for one: there it follows the
        generation prompt as it stands, and so it does where a prompt's last token would merge.
        """
        before = self._render(messages, True)
        whole = self._render([*messages, {"role": "assistant", "content": text}], False)
        prompt, ids = self._ids(before), self._ids(whole)
        if whole.startswith(before) and ids[: len(prompt)] == prompt:
            return self._ended(ids[len(prompt) :], cut), True
        said = text if text in whole else text.strip()
        rest = whole[len(before) :] if whole.startswith(before) else said + self._tail
        ids = self._ids(before + rest)
        if ids[: len(prompt)] == prompt:
            return self._ended(ids[len(prompt) :], cut), False
        line = self._ids("\n")  # the prompt's last token would merge with what follows it
        return self._ended(self._ids("\n" + rest)[len(line) :], cut), False

    def _ended(self, ids: list[int], cut: bool) -> list[int]:
        last = len(ids) - 1 - ids[::-1].index(self.end)
        return ids[: last if cut else last + 1]

    def _render(self, messages: Messages, prompt: bool) -> str:
        return str(
            self.tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=prompt
            )
        )

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])


def policy(path: Path) -> Any:
    """A causal language model in float32."""
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(path, dtype="float32").eval()


def classifier(path: Path) -> Any:
    """A reward model in float32."""
    from transformers import AutoModelForSequenceClassification

    return AutoModelForSequenceClassification.from_pretrained(path, dtype="float32").eval()


def logprob(model: Any, prompt: list[int], completion: list[int]) -> float:
    """log pi(completion | prompt) of one sequence, unpadded and without a cache."""
    import torch

    ids = torch.tensor([[*prompt, *completion]])
    with torch.inference_mode():
        logits = model(ids, use_cache=False).logits[0, len(prompt) - 1 : -1]
        each = torch.log_softmax(logits.double(), -1)
    return float(each.gather(1, ids[0, len(prompt) :, None]).sum())


def reward(model: Any, ids: list[int]) -> float:
    """A one-label classifier's score of one sequence, unpadded."""
    import torch

    with torch.inference_mode():
        return float(model(torch.tensor([ids])).logits[0, 0])
