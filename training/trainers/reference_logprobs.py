"""Log-probabilities of both sides of comparisons under a reference policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.core.chat_template import ChatTemplate
from training.engines.logprobs import partial_logprobs
from training.trainers.examples import Comparison, encoded


@dataclass(frozen=True)
class Stored:
    """One pair's log-probabilities: of each side whole, and of the length both sides share.

    The shared length is that of the shorter side in tokens; LD-DPO (arXiv 2409.06411) weighs what
    lies beyond it by alpha, and any alpha follows from these four numbers. `tokens` is what
    computing them read: the prompt with either side; 0 where they come from a table.
    """

    chosen: float
    rejected: float
    chosen_shared: float
    rejected_shared: float
    tokens: int = 0

    def weighed(self, alpha: float | None) -> tuple[float, float]:
        """Log-probs of chosen and rejected, tokens beyond the shared length weighed by alpha."""
        if alpha is None:
            return self.chosen, self.rejected
        return (
            self.chosen_shared + alpha * (self.chosen - self.chosen_shared),
            self.rejected_shared + alpha * (self.rejected - self.rejected_shared),
        )


def of_pairs(
    model: Any,
    template: ChatTemplate,
    items: Sequence[Comparison],
    batch_tokens: int,
    *,
    bf16: bool = False,
) -> list[Stored]:
    """Log-probs of the chosen and of the rejected responses, in the items' order.

    Both sides go through one length-sorted pass; the sums are those TRL's trainer would compute.

    Args:
        bf16: whether the policy is trained in bfloat16; then the reference is computed so too, or
            rounding alone would be taken for a difference between the two.
    """
    prompts, chosen, rejected = encoded(template, items)
    sides = [*zip(prompts, chosen, strict=True), *zip(prompts, rejected, strict=True)]
    shared = [min(len(a), len(b)) for a, b in zip(chosen, rejected, strict=True)]
    sums = partial_logprobs(model, sides, [*shared, *shared], batch_tokens, bf16=bf16)
    read = [2 * len(p) + len(a) + len(b) for p, a, b in zip(prompts, chosen, rejected, strict=True)]
    both = zip(sums[: len(items)], sums[len(items) :], read, strict=True)
    return [Stored(a, b, head_a, head_b, n) for (a, head_a), (b, head_b), n in both]
