"""DPO with stored reference log-probs against DPO that computes them in training.

Run: python -m benchmarks.dpo --out benchmarks/results/dpo.md
On a GPU: python -m benchmarks.dpo --hidden 2048 --layers 16 --heads 32 --vocab 32000 --length 1024
--pairs 512 --batch 16 --bf16 --peak-tflops 790 --out benchmarks/results/dpo_gpu.md

Both are TRL's trainer on the same tokenised pairs and the same random Llama; the ways take turns,
and the figures are medians. Loading the models is left out, training alone is timed.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.core import environment

environment.prepare()

from training.core import checkpoint  # noqa: E402
from training.core.settings import Architecture, Dpo  # noqa: E402
from training.engines.logprobs import completion_logprobs  # noqa: E402
from training.trainers import arguments, dpo  # noqa: E402

ITERATIONS = 3
SIDES = ("chosen", "rejected")


@dataclass(frozen=True)
class Bench:
    """The model, the pairs as token ids, and how to train on them."""

    model: Path
    rows: list[dict[str, Any]]
    settings: Dpo
    work: Path


def made(args: argparse.Namespace, work: Path) -> Bench:
    from training.trainers import base

    shape = Architecture(
        args.hidden, args.hidden * 8 // 3 // 32 * 32, args.layers, args.heads, args.heads, 4096
    )
    draw = random.Random(1)
    words = ["".join(draw.choices("abcdefghij", k=5)) for _ in range(3 * args.vocab)]
    texts = [" ".join(words[k : k + 50]) for k in range(0, len(words), 50)]
    base.from_scratch(work / "model", texts, args.vocab, shape, seed=1)
    size = len(checkpoint.load_tokenizer(work / "model"))

    def ids(length: int) -> list[int]:
        return [draw.randrange(10, size) for _ in range(length)]

    prompt, answer = args.length // 4, args.length - args.length // 4
    rows = [
        {
            "prompt_ids": ids(draw.randint(prompt // 2, prompt)),
            "chosen_ids": ids(draw.randint(answer // 2, answer)),
            "rejected_ids": ids(draw.randint(answer // 2, answer)),
        }
        for _ in range(args.pairs)
    ]
    settings = Dpo(
        epochs=1,
        learning_rate=1e-6,
        global_batch=args.batch,
        per_device_batch=args.batch,
        max_length=args.length,
        seed=1,
        bf16=args.bf16,
    )
    return Bench(work / "model", rows, settings, work)


def trained(bench: Bench, rows: list[dict[str, Any]], *, stored: bool) -> tuple[float, float]:
    """Wall and CPU seconds of one epoch; rows carry their references when they are stored."""
    import datasets
    from trl import DPOConfig, DPOTrainer

    tokenizer = checkpoint.load_tokenizer(bench.model)
    options = arguments.common(
        bench.settings, {"output_dir": str(bench.work / "out"), "save_strategy": "no"}
    )
    model = checkpoint.load_policy(bench.model)
    if stored:
        options |= dpo._loss(bench.settings)
        trainer = dpo._trainer(model, tokenizer, rows, options, None)
    else:

        class Prepared(DPOTrainer):  # type: ignore[misc]
            """TRL's trainer on rows that are tokenised already."""

            def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
                return dataset

        trainer = Prepared(
            model,
            ref_model=checkpoint.load_policy(bench.model),
            args=DPOConfig(**options, beta=bench.settings.beta),
            train_dataset=datasets.Dataset.from_list(rows),
            processing_class=tokenizer,
        )
    return timed(trainer.train)


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def referenced(bench: Bench, rows: list[dict[str, Any]]) -> tuple[list[float], tuple[float, float]]:
    """Log-probs of the chosen, then the rejected sides, and the seconds that they take."""
    model = checkpoint.load_policy(bench.model)
    sides = [(row["prompt_ids"], row[f"{side}_ids"]) for side in SIDES for row in rows]
    sums: list[float] = []
    budget = bench.settings.batch_tokens
    seconds = timed(lambda: sums.extend(completion_logprobs(model, sides, budget)))
    return sums, seconds


def loop(bench: Bench) -> dict[str, tuple[float, float]]:
    """Seconds of a history that grows by as many pairs in each of three iterations."""
    spent = dict.fromkeys(("references", "stored", "in training"), (0.0, 0.0))

    def add(way: str, seconds: tuple[float, float]) -> None:
        spent[way] = (spent[way][0] + seconds[0], spent[way][1] + seconds[1])

    size = len(bench.rows) // ITERATIONS
    known: list[dict[str, Any]] = []
    for end in range(size, size * ITERATIONS + 1, size):
        new = bench.rows[end - size : end]
        sums, seconds = referenced(bench, new)
        add("references", seconds)
        known += [
            row | {"ref_chosen_logps": chosen, "ref_rejected_logps": rejected}
            for row, chosen, rejected in zip(new, sums[:size], sums[size:], strict=True)
        ]
        add("in training", trained(bench, bench.rows[:end], stored=False))
        add("stored", trained(bench, known, stored=True))
    return spent


def utilisation(bench: Bench, pairs_per_second: float, peak_tflops: float) -> float:
    """FLOPs of training (6 per weight and token, attention beside) over the peak."""
    config = checkpoint.load_policy(bench.model)
    each = dpo._tokens(bench.rows) / len(bench.rows)
    attention = 6 * config.config.num_hidden_layers * config.config.hidden_size * each / 2
    flops = (6 * config.num_parameters() + attention) * each * pairs_per_second
    return float(flops / peak_tflops / 1e12)


def table(bench: Bench, runs: list[dict[str, tuple[float, float]]], args: Any) -> str:
    """The figures as Markdown."""
    pairs = len(bench.rows) // ITERATIONS * sum(range(1, ITERATIONS + 1))
    median = {
        way: [statistics.median(run[way][k] for run in runs) for k in (0, 1)] for way in runs[0]
    }
    median["stored, with computing them"] = [
        statistics.median(run["stored"][k] + run["references"][k] for run in runs) for k in (0, 1)
    ]
    lines = [
        "| references | pairs/s | CPU s | pairs/s over in training | CPU s in training over it |",
        "|---|---|---|---|---|",
    ]
    inside = median["in training"]
    for way in ("in training", "stored", "stored, with computing them"):
        wall, cpu = median[way]
        lines.append(
            f"| {way} | {pairs / wall:.2f} | {cpu:.1f} | {inside[0] / wall:.2f} "
            f"| {inside[1] / cpu:.2f} |"
        )
    if args.peak_tflops:
        share = utilisation(bench, pairs / median["stored"][0], args.peak_tflops)
        lines.append(f"\nModel FLOPs utilisation with stored references: {share:.3f}.")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("hidden", 256), ("layers", 4), ("heads", 4), ("vocab", 4096)):
        parser.add_argument(f"--{name}", type=int, default=value)
    for name, value in (("length", 256), ("pairs", 96), ("batch", 8), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--peak-tflops", type=float)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    import torch

    with tempfile.TemporaryDirectory() as folder:
        bench = made(args, Path(folder))
        loop(bench)  # to warm up
        runs = [loop(bench) for _ in range(args.repeats)]
        parameters = checkpoint.load_policy(bench.model).num_parameters()
        text = table(bench, runs, args)
    gpu = torch.cuda.is_available()
    where = torch.cuda.get_device_name() if gpu else f"CPU, {environment.cores()} cores"
    head = (
        f"# DPO with stored references\n\n`{' '.join(sys.argv[1:])}` on {where}: a Llama of "
        f"{parameters / 1e6:.1f}M weights, {args.pairs} pairs of up to {args.length} tokens in "
        f"{ITERATIONS} iterations, batches of {args.batch}, "
        f"{'bf16' if args.bf16 else 'float32'}; medians of {args.repeats}. A history of three "
        "iterations is trained on once per iteration; stored references are computed for new "
        "pairs alone.\n\n"
    )
    print(head + text)
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(head + text + "\n", "utf-8")


if __name__ == "__main__":
    main()
