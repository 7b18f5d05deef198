"""What is compared with: transformers alone, one sequence at a time, none of the project's code."""

from __future__ import annotations

import re
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

        The ids of the generation prompt stay as they are. Where the conversation goes on from them
        and says all of the answer, it is what is read. Else a template that only has other blanks
        there gives the rest; else the answer follows as it stands, less a `<think>` that the prompt
        has opened.
        """
        before, whole = self._render(messages, True), self._said(messages, text)
        prompt = self._ids(before)
        opened = before.endswith("<think>\n") and text.startswith("<think>\n")
        own = text.removeprefix("<think>\n") if opened else text
        asked = before if whole.startswith(before) else before.rstrip()
        if whole.startswith(asked) and _letters(whole).endswith(_letters(own + self._tail)):
            rest = whole[len(asked) :] if asked == before else whole[len(asked) :].lstrip()
        else:
            rest = own + self._tail
        ids = self._behind(before, rest)
        return self._ended(ids, cut), prompt + self._ended(ids, False) == self._ended(
            self._ids(whole), False
        )

    def _said(self, messages: Messages, text: str) -> str:
        """The conversation; thoughts are given apart to a template that would write two blocks."""
        plain: Messages = [*messages, {"role": "assistant", "content": text}]
        whole = self._render(plain, False)
        thought, _, answer = text.partition("</think>")
        written = whole.count("<think>") - self._render(messages, False).count("<think>")
        if "<think>" not in thought or written == text.count("<think>"):
            return whole
        last = {"content": answer.strip(), "reasoning_content": thought.split("<think>")[1].strip()}
        return self._render([*messages, {"role": "assistant", **last}], False)

    def _behind(self, before: str, rest: str) -> list[int]:
        """Ids of a text behind a prompt's, also where its first characters merge with the last."""
        prompt, ids = self._ids(before), self._ids(before + rest)
        if ids[: len(prompt)] == prompt:
            return ids[len(prompt) :]
        for word in ("\n", "a"):  # one of the two does not merge
            alone, ids = self._ids(word), self._ids(word + rest)
            if ids[: len(alone)] == alone:
                break
        return ids[len(alone) :]

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


def _letters(text: str) -> str:
    return re.sub(r"\s", "", text)


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
