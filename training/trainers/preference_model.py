"""Training the pairwise preference model: which of two responses is better, as the next token."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.core.seeds import coin
from training.core.settings import Sft
from training.judges.comparing import MARKERS, PreferenceModel, Question, question
from training.trainers import sft
from training.trainers.examples import Comparison

__all__ = ["MARKERS", "PreferenceModel", "Question", "held_out", "question", "train"]


def is_ambiguous(item: Comparison) -> bool:
    """Whether a marker inside the texts would make the question ambiguous."""
    texts = [*(message["content"] for message in item.prompt), item.chosen, item.rejected]
    return any(marker in text for marker in MARKERS for text in texts)


def train(
    init: Path,
    comparisons: Sequence[Comparison],
    settings: Sft,
    *,
    out: Path,
    both_orders: bool = False,
    work: Path | None = None,
) -> dict[str, Any]:
    """Train on comparisons, each asked once, in the order that the pair id's hash picks.

    Args:
        both_orders: Ask each comparison in the other order too.
        work: folder of the trainer's own checkpoints, to go on after a kill; None keeps none.

    Returns:
        Metrics of `sft.train`; pairs, those trained on; ambiguous, those left out because of a
        marker in their text.
    """
    clear = [item for item in comparisons if not is_ambiguous(item)]
    conversations = [_example(item, settings.seed) for item in clear]
    if both_orders:
        conversations += [_example(item, settings.seed, turned=True) for item in clear]
    card = {"kind": "preference_model", "name": "preference_model"}
    metrics = sft.train(init, conversations, settings, out=out, card=card, work=work)
    pairs = -(-metrics["examples"] // (2 if both_orders else 1))  # one order may be a token longer
    return {**metrics, "pairs": pairs, "ambiguous": len(comparisons) - len(clear)}


def _example(item: Comparison, seed: int, turned: bool = False) -> list[dict[str, str]]:
    """One conversation; the hash of the pair id decides which response is A, or is not."""
    if coin("order", seed, item.key) != turned:
        asked, label = question(item.prompt, item.chosen, item.rejected), "A"
    else:
        asked, label = question(item.prompt, item.rejected, item.chosen), "B"
    return [*asked, {"role": "assistant", "content": label}]


def held_out(path: Path, comparisons: Sequence[Comparison], settings: Sft) -> dict[str, Any]:
    """Accuracy with both orders averaged, and how often the two orders disagree.

    Returns:
        eval_pairs, eval_over_context (counted in no other figure), accuracy (a tie counts half),
        swap_inconsistency; nothing without pairs.
    """
    clear = [item for item in comparisons if not is_ambiguous(item)]
    if not clear:
        return {}
    model = PreferenceModel(path, settings.batch_tokens)
    straight = model.first_wins([(item.prompt, item.chosen, item.rejected) for item in clear])
    swapped = model.first_wins([(item.prompt, item.rejected, item.chosen) for item in clear])
    known = np.isfinite(straight) & np.isfinite(swapped)
    straight, swapped = straight[known], swapped[known]
    over = {"eval_over_context": len(clear) - len(straight)}
    if not known.any():
        return over
    preferred = (straight + 1.0 - swapped) / 2.0
    right = (preferred > 0.5) + 0.5 * (preferred == 0.5)
    return {
        "eval_pairs": len(straight),
        **over,
        "accuracy": float(right.mean()),
        "swap_inconsistency": float(((straight > 0.5) == (swapped > 0.5)).mean()),
    }
