"""The ways of scoring 8 responses to each prompt, on one model and one shape of prompts."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from training.core import environment

SHAPES = {"short": [80], "long": [150, 200, 150, 250, 230]}  # words per turn, users' and model's
ANSWER, N = 235, 8  # mean words of a response, responses per prompt
MODELS = {  # hidden, intermediate, layers, heads, key-value heads
    "tiny": (128, 384, 3, 4, 4),
    "small": (256, 768, 4, 4, 4),
    "1b": (2048, 8192, 16, 32, 8),
}
WORDS = [f"{a}{b}" for a in ("ka", "lo", "mi", "ru", "te", "so") for b in ("n", "ra", "st", "li")]
BUDGET = 4096


class Bench:
    """A classifier of random weights, what is to be scored, and what each way did.

    Attributes:
        unique: tokens of each prompt once and of each response once.
        seen: tokens that one of these attends to, itself included, on average.
    """

    def __init__(self, model: str, shape: str, groups: int, device: str, dtype: str) -> None:
        if device == "cpu":
            os.environ["CUDA_VISIBLE_DEVICES"] = ""
        environment.prepare()
        import torch

        assert environment.device() == device, f"no {device} here"
        self.torch = torch
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name) / "judge"
        template = _build(path, MODELS[model])
        from training.engines.transformers_scorer import TransformersScorer

        self.scorer = TransformersScorer(path, dtype, 16_384 if device == "cpu" else 131_072)
        self.plain = _plain(path, dtype, device)
        self.tokenizer = template.tokenizer
        self.groups = list(_groups(template, shape, groups))
        self.items = [prompt + answer for prompt, answers in self.groups for answer in answers]
        self.lengths = [len(prompt) for prompt, answers in self.groups for _ in answers]
        self.unique = sum(len(p) + sum(map(len, answers)) for p, answers in self.groups)
        self.seen = sum(map(_seen, self.groups)) / self.unique
        self.computed: dict[str, int] = {}
        self.scores: dict[str, list[float]] = {}

    def ways(self) -> dict[str, Callable[[], None]]:
        """Each way as a call that scores everything.

        `full N` runs as many tokens in rows as long as an item, none padded; `far N` in longer
        rows, whose tokens attend to as many others as those that `ours` computes.
        """
        mean = round(sum(map(len, self.items)) / len(self.items))
        every = {
            "pipeline 1": self._pipeline,
            "batch 1": lambda: [self._logit(item) for item in self.items],
            "padded": self._padded,
            "cache": self._cache,
            "ours": lambda: self.scorer.score(self.items, self.lengths),
            "full 1": lambda: self._full(1, mean),
            "full 2k": lambda: self._full(2048, mean),
            "full 8k": lambda: self._full(8192, mean),
            "far 1": lambda: self._full(1, round(2 * self.seen)),
            "far 8k": lambda: self._full(8192, round(2 * self.seen)),
        }
        return {name: partial(self._run, name, way) for name, way in every.items()}

    def error(self, name: str) -> float:
        """Largest difference of a way's scores from those of batch 1; 0 where it scores nothing."""
        alone = self.scores["batch 1"]
        return max((abs(a - b) for a, b in zip(alone, self.scores[name], strict=False)), default=0)

    def _run(self, name: str, way: Callable[[], Any]) -> None:
        seen: list[int] = []
        hooks = [
            model.get_input_embeddings().register_forward_hook(
                lambda _module, given, _out: seen.append(given[0].numel())
            )
            for model in (self.scorer.model, self.plain)
        ]
        with self.torch.inference_mode():
            self.scores[name] = way() or []
        if self.plain.device.type == "cuda":
            self.torch.cuda.synchronize()
        for hook in hooks:
            hook.remove()
        self.computed[name] = sum(seen)

    def _pipeline(self) -> list[float]:
        from transformers import pipeline

        texts = [self.tokenizer.decode(item) for item in self.items]
        judge = pipeline("text-classification", model=self.plain, tokenizer=self.tokenizer)
        answers = judge(texts, batch_size=1, function_to_apply="none", add_special_tokens=False)
        return [float(answer["score"]) for answer in answers]

    def _row(self, rows: list[list[int]]) -> Any:
        return self.torch.tensor(rows, device=self.plain.device)

    def _logit(self, item: list[int]) -> float:
        return float(self.plain(self._row([item]), use_cache=False).logits[0, 0])

    def _padded(self) -> list[float]:
        from training.engines.batching import by_tokens
        from training.engines.passes import _batch

        result = [0.0] * len(self.items)
        for places in by_tokens([len(item) for item in self.items], BUDGET):
            rows = [self.items[place] for place in places]
            for place, score in zip(places, _batch(self.plain, rows), strict=True):
                result[place] = score
        return result

    def _cache(self) -> list[float]:
        result = []
        for prompt, answers in self.groups:
            cache = self.plain.model(self._row([prompt]), use_cache=True).past_key_values
            for answer in answers:
                hidden = self.plain.model(
                    self._row([answer]), past_key_values=cache, use_cache=True
                )
                result.append(float(self.plain.score(hidden.last_hidden_state[:, -1])[0, 0]))
                cache.crop(len(prompt))
        return result

    def _full(self, tokens: int, width: int) -> None:
        rows = [(self.items[0] * width)[:width]] * max(1, tokens // width)
        self.plain.config.pad_token_id = None if len(rows) == 1 else self.tokenizer.pad_token_id
        for _ in range(max(1, round(self.unique / (width * len(rows))))):
            self.plain(self._row(rows), use_cache=False)


def _build(path: Path, shape: tuple[int, int, int, int, int]) -> Any:
    """Save a classifier of random weights with a tokenizer; returns its chat template."""
    from training.core import checkpoint
    from training.core.chat_template import ChatTemplate
    from training.core.settings import Architecture
    from training.trainers import base

    rng = random.Random(0)
    texts = [_words(rng, 60) for _ in range(200)]
    policy = path.with_name("base")
    base.from_scratch(policy, texts, 512, Architecture(*shape, max_position=8192), seed=1)
    tokenizer = checkpoint.load_tokenizer(policy)
    checkpoint.save(path, checkpoint.load_classifier(policy, num_labels=1), tokenizer, {})
    return ChatTemplate(tokenizer)


def _seen(group: tuple[list[int], list[list[int]]]) -> float:
    """Sum over a group's unique tokens of what each attends to."""
    prompt, answers = len(group[0]), [len(answer) for answer in group[1]]
    own = sum(n * (n + 1) / 2 for n in (prompt, *answers))
    return own + prompt * sum(answers)


def _plain(path: Path, dtype: str, device: str) -> Any:
    from training.core import checkpoint

    return checkpoint.load_classifier(path, dtype).to(device)


def _words(rng: random.Random, mean: int) -> str:
    return " ".join(rng.choices(WORDS, k=max(4, min(4 * mean, int(rng.gammavariate(3, mean / 3))))))


def _groups(template: Any, shape: str, count: int) -> Iterator[tuple[list[int], list[list[int]]]]:
    rng = random.Random(7)
    for _ in range(count):
        turns = [
            {"role": ("user", "assistant")[place % 2], "content": _words(rng, mean)}
            for place, mean in enumerate(SHAPES[shape])
        ]
        answers = template.completions([_words(rng, ANSWER) for _ in range(N)])
        yield template.encode(turns, True), answers
