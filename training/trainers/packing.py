"""Packed rows without flash attention: several examples share a row and never see each other.

TRL packs a batch into one long row, whose attention is quadratic in the whole batch unless a
flash-attention kernel runs. Here a batch stays [rows, max_length], and restarted positions make
transformers build a block-diagonal causal mask per row.
"""

from __future__ import annotations

from typing import Any


def pack(data: Any, max_length: int, seed: int) -> Any:
    """Best-fit-decreasing packing of a tokenised dataset, by TRL, in an order fixed by the seed."""
    from trl import pack_dataset

    packed = pack_dataset(data.shuffle(seed=seed), max_length, "bfd")
    return packed.shuffle(seed=seed)


def collator(pad_token_id: int) -> Any:
    """A collator of packed rows: input_ids, labels and restarting position_ids, no mask."""
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    class Packed(DataCollatorForLanguageModeling):  # type: ignore[misc]
        """Drops the padding mask, which would hide the borders between packed examples."""

        def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
            """Pad and stack; the first token of an example is no target of the one before it."""
            batch: dict[str, Any] = super().torch_call(examples)
            del batch["attention_mask"]  # padding is a tail of its own with no labels
            batch["labels"][batch["position_ids"] == 0] = -100
            return batch

    return Packed(pad_token_id=pad_token_id, return_position_ids=True)
