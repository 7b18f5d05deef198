"""Training on the mean over the response, by TRL's trainer: the batch says where responses are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

RESPONSE = "response_mask"


def average(model: Any) -> None:
    """Have a one-label classifier's forward give the mean of its scores over the response.

    The mean of a linear head's scores is the score of the mean. The class keeps its name, and its
    weights and config are saved as before.
    """
    from transformers.modeling_outputs import SequenceClassifierOutput

    plain = type(model)

    def forward(
        self: Any, input_ids: Any = None, attention_mask: Any = None, **options: Any
    ) -> SequenceClassifierOutput:
        """Scores [batch, 1]; `response_mask` is 1 at the response's tokens."""
        seen = options[RESPONSE].to(input_ids.device)
        hidden = self.base_model(
            input_ids=input_ids, attention_mask=attention_mask, use_cache=False
        ).last_hidden_state
        scores = self.score(hidden)[..., 0].float()
        mean = (scores * seen).sum(-1) / seen.sum(-1)
        return SequenceClassifierOutput(logits=mean[:, None])

    model.__class__ = type(plain.__name__, (plain,), {"forward": forward})


def collator(pad_token_id: int) -> Any:
    """TRL's collator of pairs, which also tells the response's tokens from the prompt's."""
    from trl.trainer.reward_trainer import DataCollatorForPreference

    class WithResponses(DataCollatorForPreference):  # type: ignore[misc]
        """Adds `response_mask`; the rows' `prompt` is how many leading tokens are the prompt."""

        def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
            """One padded batch, chosen first."""
            batch: dict[str, Any] = super().torch_call(examples)
            batch[RESPONSE] = _responses(batch["attention_mask"], [e["prompt"] for e in examples])
            return batch

    return WithResponses(pad_token_id=pad_token_id)


def _responses(attention: Any, prompts: Sequence[int]) -> Any:
    """The mask of right-padded rows, chosen then rejected, without their prompts."""
    import torch

    starts = torch.tensor([*prompts, *prompts])[:, None]
    return attention * (attention.cumsum(-1) > starts)
