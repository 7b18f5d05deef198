"""Log-probabilities of both sides of comparisons under a reference policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from training.chat_template import ChatTemplate
from training.examples import Comparison
from training.logprobs import completion_logprobs


def of_pairs(
    model: Any, template: ChatTemplate, items: Sequence[Comparison], batch_tokens: int
) -> tuple[list[float], list[float]]:
    """Log-probs of the chosen and of the rejected responses, in the items' order.

    Both sides go through one length-sorted pass; the sums are those TRL's trainer would compute.
    """
    prompts = template.encode_many([item.prompt for item in items], add_generation_prompt=True)
    chosen = template.completions([item.chosen for item in items])
    rejected = template.completions([item.rejected for item in items])
    sides = [*zip(prompts, chosen, strict=True), *zip(prompts, rejected, strict=True)]
    sums = completion_logprobs(model, sides, batch_tokens)
    return sums[: len(items)], sums[len(items) :]
