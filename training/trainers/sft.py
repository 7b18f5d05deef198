"""Next-token training by TRL's SFTTrainer: supervised fine-tuning and the preference model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.core import checkpoint
from training.core.chat_template import ChatTemplate, Messages
from training.core.settings import Sft
from training.engines import logprobs
from training.trainers import arguments, examples, lora, packing, resume, run


def train(
    init: Path,
    conversations: Sequence[Messages],
    settings: Sft,
    *,
    out: Path,
    card: dict[str, Any],
    work: Path | None = None,
) -> dict[str, Any]:
    """Fine-tune on conversations that end with the assistant's message.

    Args:
        init: checkpoint to start from.
        out: folder of the new checkpoint.
        work: folder of the trainer's own checkpoints, to go on after a kill; None keeps none.

    Returns:
        Metrics: examples, too_long, tokens, steps, loss; of adapters also merge_drift.
    """
    tokenizer = checkpoint.load_tokenizer(init)
    fitted = examples.conversations(
        ChatTemplate(tokenizer), conversations, settings.max_length, settings.completion_only
    )

    with resume.place(settings, init, fitted.rows, work) as place:
        common = arguments.common(settings, place)
        model = checkpoint.load_policy(init)
        probe = lora.token_logprobs([row["input_ids"] for row in fitted.rows])
        weights = lora.trainable(settings.lora, lambda: checkpoint.load_policy(init), probe)
        trainer = _trainer(model, tokenizer, fitted.rows, settings, common, adapters=weights.config)
        del model  # the trainer's to let go
        done = run.fit(trainer, tokenizer, out, card, save=weights.save)
    return {
        "examples": len(fitted.rows),
        "too_long": fitted.too_long,
        "tokens": sum(len(row["input_ids"]) for row in fitted.rows),
        "steps": done.steps,
        "loss": done.loss,
        **weights.facts,
    }


def _trainer(
    model: Any,
    tokenizer: Any,
    rows: list[dict[str, Any]],
    settings: Sft,
    common: dict[str, Any],
    *,
    adapters: Any,
) -> Any:
    """TRL's trainer on rows that are tokenised, and packed, already."""
    import datasets
    from trl import SFTConfig, SFTTrainer

    data = datasets.Dataset.from_list(rows)
    collator = None
    if settings.packing:
        data = packing.pack(data, settings.max_length, settings.seed)
        collator = packing.collator(tokenizer.pad_token_id)
    return SFTTrainer(
        model,
        args=SFTConfig(**common, dataset_kwargs={"skip_prepare_dataset": True}),
        train_dataset=data,
        data_collator=collator,
        processing_class=tokenizer,
        peft_config=adapters,
    )


def held_out(path: Path, conversations: Sequence[Messages], settings: Sft) -> dict[str, Any]:
    """Mean negative log-probability per answer token on held-out conversations.

    Returns:
        eval_examples and eval_loss; nothing when no conversation is held out.
    """
    if not conversations:
        return {}
    template = ChatTemplate(checkpoint.load_tokenizer(path))
    prompts = template.encode_many([item[:-1] for item in conversations], True)
    texts = [item[-1]["content"] for item in conversations]
    answers = template.completions(texts, [item[:-1] for item in conversations])
    items = [
        (prompt, answer)
        for prompt, answer in zip(prompts, answers, strict=True)
        if len(prompt) + len(answer) <= settings.max_length
    ]
    if not items:
        return {}
    model = logprobs.loaded(path, bf16=settings.bf16)
    sums = logprobs.completion_logprobs(model, items, settings.batch_tokens, bf16=settings.bf16)
    tokens = sum(len(answer) for _, answer in items)
    return {"eval_examples": len(items), "eval_loss": -sum(sums) / tokens}
