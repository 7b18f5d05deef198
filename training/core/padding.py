"""The padding token of a classifier: one that no scored sequence ends with.

transformers reads a classifier's score at the last token that is not `config.pad_token_id`. Where
that is the end token, as most published models have it, the end of a response is taken for padding
and the score is read before it. So a reward model gets a padding token of its own.
"""

from __future__ import annotations

import re
from collections.abc import Set
from typing import Any

ADDED = "<|prefloop_pad|>"
_PAD = re.compile(r"pad(?![a-z])", re.IGNORECASE)
_SEEN = re.compile(r"image|vision|video|audio", re.IGNORECASE)  # stands for what is no text
_SPARE = re.compile(r"reserved|unused|placeholder|<SPECIAL_\d+>|\[control_\d+\]", re.IGNORECASE)


def fit(tokenizer: Any, model: Any, taken: Set[int]) -> None:
    """Give tokenizer and classifier one padding token, neither in `taken` nor in the template.

    It is the tokenizer's own if that will do, else a special token that no chat uses (contents
    never hold one), else a new one; the embedding grows if it has no row to spare.
    """
    own = tokenizer.pad_token_id
    if own is None or own in taken or own >= _rows(model):
        tokenizer.pad_token = _spare(tokenizer, taken, _rows(model)) or _added(tokenizer, model)
    model.config.get_text_config().pad_token_id = tokenizer.pad_token_id
    model.config.pad_token_id = tokenizer.pad_token_id


def _spare(tokenizer: Any, taken: Set[int], rows: int) -> str | None:
    """A special token that nothing uses: one named for padding, or kept in reserve, or any."""
    used = taken | {tokenizer.bos_token_id, tokenizer.eos_token_id}
    free = [
        str(token)
        for place, token in sorted(tokenizer.added_tokens_decoder.items())
        if token.special
        and place < rows
        and place not in used
        and str(token) not in tokenizer.get_chat_template()
        and not _SEEN.search(str(token))
    ]
    named = [[one for one in free if name.search(one)] for name in (_PAD, _SPARE)]
    return next((found[0] for found in (*named, free) if found), None)


def _added(tokenizer: Any, model: Any) -> str:
    tokenizer.add_special_tokens({"pad_token": ADDED})
    if tokenizer.pad_token_id >= _rows(model):
        model.resize_token_embeddings(tokenizer.pad_token_id + 1, mean_resizing=False)
        weight = model.get_input_embeddings().weight
        weight.data[tokenizer.pad_token_id].zero_()  # never attended to; no chance draws
    return ADDED


def _rows(model: Any) -> int:
    return int(model.get_input_embeddings().weight.shape[0])
