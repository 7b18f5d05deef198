"""One GPU, a random Llama of 1.2B weights in bfloat16, 2,048 tokens: what each pass gets of it.

Run: python -m benchmarks.gpu [--out FILE.md] [--only dpo scoring reference sampling]
On a CPU, small: python -m benchmarks.gpu --small
What a bare machine with torch, transformers, accelerate and peft lacks: python -m benchmarks.gpu
--missing prints it as pip takes it (`pip download` here, `pip install --no-index` there).

The peak is measured first, by a dense product of matrices in the same number type. FLOPs are 2 for
each weight that a token goes through (6 in training) and those of attention; the embedding is none,
the head is one where logits are computed. DPO: TRL's trainer on stored references, and on a model
that computes them in training. Scoring: 8 responses to a prompt that is computed once, and padded
batches. The reference pass holds its logits in parts; sampling is transformers' with a seed a row.
Each is run once to warm up and timed once. Meant for 8 minutes; no GPU has run it yet.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NEEDS = ("trl", "datasets", "pyarrow", "pandas", "xxhash", "multiprocess", "dill", "orjson")
PARTS = ("reference", "scoring", "dpo", "sampling")


@dataclass(frozen=True)
class Shape:
    """The model, and how much is done with it."""

    hidden: int = 2048
    inner: int = 8192
    layers: int = 16
    heads: int = 32
    kv_heads: int = 8
    vocabulary: int = 128_256
    length: int = 2048
    pairs: int = 128
    batch: int = 4
    budget: int = 65_536
    prompts: int = 32
    new: int = 256
    product: int = 8192


SMALL = Shape(32, 64, 2, 4, 2, 512, 64, 8, 4, 512, 2, 4, 256)


@dataclass(frozen=True)
class Bench:
    """A model in a folder, its number type, and the peak of the machine in FLOP/s."""

    path: Path
    shape: Shape
    weights: int  # that a token is multiplied by, without the head
    head: int
    bf16: bool
    peak: float

    @property
    def dtype(self) -> str:
        """What weights are held in to score and sample."""
        return "bfloat16" if self.bf16 else "float32"

    def flops(self, lengths: list[int], logits: int = 0) -> float:
        """FLOPs of a forward pass over sequences; `logits` is how many tokens have them."""
        attention = sum(2 * self.shape.layers * self.shape.hidden * n * n for n in lengths)
        return 2.0 * (self.weights * sum(lengths) + self.head * logits) + attention


@dataclass(frozen=True)
class Figure:
    """One way's figure: its unit, seconds, share of the peak, and GiB held at most."""

    what: str
    rate: float
    unit: str
    seconds: float
    share: float
    gib: float


def made(folder: Path, shape: Shape, *, bf16: bool) -> Bench:
    """A random model with a tokenizer of its own."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from training.core import checkpoint
    from training.trainers import tokenizer

    tokens = tokenizer.train([f"a made text of words {k}" for k in range(200)], 300)
    config = LlamaConfig(
        vocab_size=shape.vocabulary, hidden_size=shape.hidden, intermediate_size=shape.inner,
        num_hidden_layers=shape.layers, num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads, max_position_embeddings=2 * shape.length,
        tie_word_embeddings=True, pad_token_id=tokens.pad_token_id,
        bos_token_id=tokens.bos_token_id, eos_token_id=tokens.eos_token_id,
    )  # fmt: skip
    torch.manual_seed(1)
    model = LlamaForCausalLM(config)
    checkpoint.save(folder / "policy", model, tokens, {"kind": "policy"})
    head = shape.vocabulary * shape.hidden
    weights = model.num_parameters() - head
    return Bench(folder / "policy", shape, weights, head, bf16, dense(shape.product, bf16=bf16))


def dense(size: int, *, bf16: bool) -> float:
    """FLOP/s of a dense product of random matrices."""
    import torch

    from training.core.environment import device

    dtype = torch.bfloat16 if bf16 else torch.float32
    one, two = (torch.randn(size, size, device=device(), dtype=dtype) for _ in range(2))
    times = 20 if device() == "cuda" else 3
    seconds, _ = timed(lambda: [one @ two for _ in range(times)])
    return times * 2 * size**3 / seconds


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of a second run, and the GiB that a GPU held at most in it."""
    import torch

    gpu = torch.cuda.is_available()
    work()
    if gpu:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    started = time.perf_counter()
    work()
    if gpu:
        torch.cuda.synchronize()
    held = torch.cuda.max_memory_allocated() / 2**30 if gpu else 0.0
    return time.perf_counter() - started, held


def drawn(bench: Bench, count: int) -> list[dict[str, list[int]]]:
    """Pairs of token ids: a prompt of a quarter of the length, sides of up to the rest."""
    of = random.Random(2)
    rest = bench.shape.length - bench.shape.length // 4

    def ids(low: int, high: int) -> list[int]:
        return [of.randrange(10, 250) for _ in range(of.randint(low, high))]

    return [
        {
            "prompt_ids": ids(bench.shape.length // 8, bench.shape.length // 4),
            "chosen_ids": ids(rest // 2, rest),
            "rejected_ids": ids(rest // 2, rest),
        }
        for _ in range(count)
    ]


def sides(rows: list[dict[str, list[int]]]) -> list[tuple[list[int], list[int]]]:
    """Prompt and response of either side of every pair."""
    return [
        (row["prompt_ids"], row[f"{one}_ids"]) for one in ("chosen", "rejected") for row in rows
    ]


def reference(bench: Bench) -> Iterator[Figure]:
    """Log-probs of both sides, as the reference stage computes them."""
    from training.engines import logprobs

    model = logprobs.loaded(bench.path, bf16=bench.bf16)
    items = sides(drawn(bench, bench.shape.pairs))
    lengths = [len(prompt) + len(answer) for prompt, answer in items]
    logits = sum(len(answer) for _, answer in items)
    seconds, held = timed(
        lambda: logprobs.completion_logprobs(model, items, bench.shape.budget, bf16=bench.bf16)
    )
    share = bench.flops(lengths, logits) / seconds / bench.peak
    yield Figure("reference pass", sum(lengths) / seconds, "tokens/s", seconds, share, held)


def scoring(bench: Bench) -> Iterator[Figure]:
    """Eight responses to a prompt: the prompt once, and padded batches."""
    import torch

    from training.core import checkpoint
    from training.engines import passes
    from training.engines.batching import by_tokens
    from training.engines.transformers_scorer import TransformersScorer

    path = bench.path.with_name("judge")
    torch.manual_seed(3)
    model = checkpoint.load_classifier(bench.path, num_labels=1)
    checkpoint.save(path, model, checkpoint.load_tokenizer(bench.path), {"kind": "reward_model"})
    del model
    rows = drawn(bench, bench.shape.prompts)
    groups = [(row["prompt_ids"], [side[k::8] for side in (row["chosen_ids"],) for k in range(8)])
              for row in rows]  # fmt: skip
    items = [prompt + answer for prompt, answers in groups for answer in answers]
    prompts = [len(prompt) for prompt, answers in groups for _ in answers]
    scorer = TransformersScorer(path, bench.dtype, bench.shape.budget)
    unique = [len(p) + sum(map(len, answers)) for p, answers in groups]
    seconds, held = timed(lambda: scorer.score(items, prompts))
    share = bench.flops(unique) / seconds / bench.peak
    yield Figure("scoring, prompt once", len(items) / seconds, "responses/s", seconds, share, held)
    scorer.close()
    plain = checkpoint.load_classifier(path, bench.dtype).to(_device())

    def padded() -> None:
        with torch.inference_mode():
            for places in by_tokens([len(item) for item in items], bench.shape.budget):
                passes._batch(plain, [items[place] for place in places])

    seconds, held = timed(padded)
    share = bench.flops(unique) / seconds / bench.peak  # of what had to be computed
    yield Figure("scoring, padded", len(items) / seconds, "responses/s", seconds, share, held)


def dpo(bench: Bench) -> Iterator[Figure]:
    """One epoch of TRL's trainer with references stored, and with a model that computes them."""
    from benchmarks import dpo as ways
    from training.core.settings import Dpo

    shape = bench.shape
    rows: list[dict[str, Any]] = list(drawn(bench, shape.pairs))
    stored = [row | {"ref_chosen_logps": -1.0, "ref_rejected_logps": -1.0} for row in rows]
    settings = Dpo(
        epochs=1, learning_rate=1e-7, global_batch=shape.batch, per_device_batch=shape.batch,
        max_length=shape.length, seed=1, bf16=bench.bf16,
    )  # fmt: skip
    items = sides(drawn(bench, shape.pairs))
    lengths = [len(prompt) + len(answer) for prompt, answer in items]
    needed = 3 * bench.flops(lengths, sum(len(answer) for _, answer in items))
    for told, given, known in (("stored", stored, True), ("in training", rows, False)):
        with tempfile.TemporaryDirectory() as work:
            trainer = ways.Bench(bench.path, given, settings, Path(work))
            few = given[: 2 * shape.batch]
            ways.trained(trainer, few, stored=known)  # to warm up
            _forget()
            seconds, _ = ways.trained(trainer, given, stored=known)
        share = needed / seconds / bench.peak
        rate = len(given) / seconds
        yield Figure(f"DPO, references {told}", rate, "pairs/s", seconds, share, _held())
        _forget()


def sampling(bench: Bench) -> Iterator[Figure]:
    """Responses by transformers, with a seed a row."""
    from training.engines.protocol import Draw, Request
    from training.engines.transformers_sampler import TransformersSampler

    shape = bench.shape
    sampler = TransformersSampler(bench.path, bench.dtype, 64 * shape.length)
    prompts = [row["prompt_ids"] for row in drawn(bench, shape.prompts)]
    requests = [
        Request(prompt, (Draw(2 * k, 1.0), Draw(2 * k + 1, 1.0)))
        for k, prompt in enumerate(prompts)
    ]
    made: list[int] = []

    def work() -> None:
        answers = sampler.sample(requests, shape.new)
        made[:] = [len(one.token_ids) for answer in answers for one in answer]

    seconds, held = timed(work)
    share = 2.0 * (bench.weights + bench.head) * sum(made) / seconds / bench.peak
    yield Figure("sampling", sum(made) / seconds, "tokens/s", seconds, share, held)
    sampler.close()


def _device() -> str:
    from training.core.environment import device

    return device()


def _held() -> float:
    import torch

    return torch.cuda.max_memory_allocated() / 2**30 if torch.cuda.is_available() else 0.0


def _forget() -> None:
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


RUN: dict[str, Callable[[Bench], Iterator[Figure]]] = {
    "reference": reference,
    "scoring": scoring,
    "dpo": dpo,
    "sampling": sampling,
}


def page(bench: Bench, figures: list[Figure]) -> str:
    """The figures as Markdown."""
    import torch
    import transformers

    where = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    lines = [
        "# On one GPU" if torch.cuda.is_available() else "# On a CPU, small",
        "",
        f"`python -m benchmarks.gpu` on {where}, torch {torch.__version__}, transformers "
        f"{transformers.__version__}: {(bench.weights + bench.head) / 1e9:.3f}e9 weights in "
        f"{bench.dtype}, sequences of up to {bench.shape.length}. A dense product gets "
        f"{bench.peak / 1e12:.3g} TFLOP/s, which the shares are of.",
        "",
        "| | rate | of the peak | GiB | seconds |",
        "|---|---|---|---|---|",
    ]
    for one in figures:
        lines.append(
            f"| {one.what} | {one.rate:,.4g} {one.unit} | {one.share:.3f} | {one.gib:.1f} "
            f"| {one.seconds:.1f} |"
        )
    return "\n".join(lines) + "\n"


def missing() -> list[str]:
    """What is not installed here of what this needs, at the locked versions."""
    lock = Path("requirements.lock").read_text("utf-8")
    found = dict(re.findall(r"^([\w-]+)==([\w.]+)", lock, re.MULTILINE))
    return [f"{name}=={found[name]}" for name in NEEDS if not importlib.util.find_spec(name)]


def main() -> list[Figure]:
    """Parse, run, tell; returns the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--small", action="store_true", help="a tiny model in float32")
    parser.add_argument("--missing", action="store_true", help="what to carry to a bare machine")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    if args.missing:
        print(" ".join(missing()))
        return []
    from training.core import environment

    environment.prepare()
    with tempfile.TemporaryDirectory() as folder:
        shape = SMALL if args.small else Shape()
        bench = made(Path(folder), shape, bf16=not args.small)
        figures = []
        for name in args.only:
            for one in RUN[name](bench):
                figures.append(one)
                print(f"{one.what}: {one.rate:.4g} {one.unit}, {one.share:.3f}", flush=True)
        said = page(bench, figures)
    print(said)
    if args.out:  # written last: whatever was stopped has told its lines
        args.out.write_text(said, "utf-8")
    return figures


if __name__ == "__main__":
    main()
