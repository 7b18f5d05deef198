"""Read a published data set and model as a stranger would, and train DPO on the pairs as they are.

Run in a process of its own: HF_ENDPOINT is read when huggingface_hub is imported.
"""

from __future__ import annotations

import json
import sys

from datasets import get_dataset_config_names, load_dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer


def main(data: str, model: str, out: str) -> None:
    """Print one JSON line: rows by config and split, and what the trainer logged."""
    configs = {
        name: {split: rows.num_rows for split, rows in load_dataset(data, name).items()}
        for name in get_dataset_config_names(data)
    }
    pairs = load_dataset(data, "pairs_iter1", split="train", revision="v1")
    trainer = DPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(model),
        args=DPOConfig(
            output_dir=out,
            max_steps=2,
            per_device_train_batch_size=4,
            logging_steps=1,
            learning_rate=1e-2,
            bf16=False,
            use_cpu=True,
            report_to="none",
            save_strategy="no",
            gradient_checkpointing=False,
        ),
        train_dataset=pairs,
        processing_class=AutoTokenizer.from_pretrained(model),
    )
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    print(json.dumps({"configs": configs, "first": pairs[0], "losses": losses}))


if __name__ == "__main__":
    main(*sys.argv[1:])
