"""The three engines on one model with one recipe: do they draw from one distribution?

    python -m benchmarks.engines [--policy FOLDER] [--prompts 40] [--n 32]

The policy is a tiny random one (or FOLDER) whose own generation_config.json asks for another
sampling and names a second end token, and whose embeddings are padded. The server is vLLM's own, as
anyone starts it. Per engine and recipe: the mean log-prob of the tokens drawn under the policy as
the recipe changes it, against its mean entropy at the same places, and their difference in standard
errors; a chi-square test of the first tokens; tokens that could not have been drawn; lengths,
distinct responses per prompt, ends.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.vllm_server import vllm_server
from training.core import checkpoint, environment
from training.engines.protocol import PLAIN, Draw, Request, Response, Sampler, Sampling

NEW = 24
RECIPES = {
    "plain": PLAIN,
    "cut": Sampling(top_p=0.9, top_k=40, min_p=0.02, repetition_penalty=1.1),
}
FIXED = {"do_sample": True, "top_k": 1, "repetition_penalty": 1.3, "temperature": 0.2}


@dataclass(frozen=True)
class Figures:
    """What one engine drew under one recipe.

    Attributes:
        log_prob: mean of the tokens drawn.
        entropy: mean at the same places; a fair draw has a log-prob of minus that.
        z: their sum in standard errors.
        p_value: of the first tokens of all prompts by chi-square.
        outside: tokens that the recipe gives no probability.
    """

    tokens: int
    log_prob: float
    entropy: float
    z: float
    p_value: float
    outside: int
    length: float
    distinct: float
    ends: dict[str, int]


def hostile(path: Path) -> Path:
    """A tiny random policy with two ends, padded embeddings and a sampling of its own."""
    from training.core.settings import Architecture
    from training.trainers import base

    texts = [f"Give the sound of each: {a}, {b}." for a in ("dog", "cow") for b in ("cat", "hen")]
    shape = Architecture(64, 96, 2, 2, 1, max_position=256, initializer_range=0.2)
    base.from_scratch(path, texts * 8, 320, shape, seed=1)
    tokenizer, model = checkpoint.load_tokenizer(path), checkpoint.load_policy(path)
    model.resize_token_embeddings(len(tokenizer) + 61)
    model.get_input_embeddings().weight.data[len(tokenizer) :] = 0.5
    checkpoint.save(path, model, tokenizer, {"policy": "hostile"})
    file = path / "generation_config.json"
    told = json.loads(file.read_text("utf-8"))
    second = tokenizer.convert_tokens_to_ids("o")
    ends = {"eos_token_id": [tokenizer.eos_token_id, second]}
    file.write_text(json.dumps(told | ends | FIXED), "utf-8")
    return path


def requests(path: Path, prompts: int, n: int) -> list[Request]:
    """The same prompts and seeds for every engine; temperatures 1 and 0.7 in turn."""
    from training.core.chat_template import ChatTemplate
    from training.core.seeds import sample_seed

    template = ChatTemplate(checkpoint.load_tokenizer(path))
    names = [f"Give the sound of each: {k}, dog." for k in range(prompts)]
    return [
        Request(
            template.encode([{"role": "user", "content": name}], True),
            tuple(Draw(sample_seed(5, name, k), (1.0, 0.7)[k % 2]) for k in range(n)),
        )
        for name in names
    ]


def served(path: Path) -> AbstractContextManager[str]:
    """vLLM's own server of a policy, as anyone starts it; yields its address."""
    limits = ("--max-num-seqs", "32", "--max-model-len", "256")
    return vllm_server(path, *limits, "--no-enable-chunked-prefill")


def sampler(name: str, path: Path, url: str) -> Sampler:
    """An engine by its name in params.yaml."""
    from training.engines import choose
    from training.engines.endpoint import Endpoint
    from training.engines.settings import Engine

    return choose.sampler(Engine(name=name, memory_share=0.5, server=Endpoint(url=url)), path)


def measure(
    path: Path, asked: Sequence[Request], drawn: Sequence[Sequence[Response]], sampling: Sampling
) -> Figures:
    """Hold what was drawn against the policy's own probabilities, by plain forward passes."""
    import torch

    model, known = checkpoint.load_policy(path), len(checkpoint.load_tokenizer(path))
    terms: list[tuple[float, float]] = []
    chi2 = freedom = 0.0
    with torch.inference_mode():
        for request, responses in zip(asked, drawn, strict=True):
            tables = []
            for draw, response in zip(request.draws, responses, strict=True):
                row = request.prompt, response.token_ids
                probabilities = _each(model, known, row, draw, sampling)
                tables.append(probabilities[0])
                terms += _terms(probabilities, response.token_ids)
            more = _chi_square(np.stack(tables), [one.token_ids[0] for one in responses])
            chi2, freedom = chi2 + more[0], freedom + more[1]
    return _figures(terms, chi2, freedom, drawn)


def _each(
    model: Any, known: int, row: tuple[list[int], list[int]], draw: Draw, sampling: Sampling
) -> Any:
    """The distribution at every place of a response, [tokens, vocabulary]."""
    import torch

    from training.engines.choosing import Chooser

    prompt, ids = row
    logits = model(torch.tensor([prompt + ids[:-1]]), use_cache=False).logits[0, len(prompt) - 1 :]
    before = [prompt + ids[:place] for place in range(len(ids))]
    barred = torch.arange(known, logits.shape[1])
    return Chooser([draw] * len(ids), before, sampling, barred).probabilities(logits).numpy()


def _terms(probabilities: Any, ids: Sequence[int]) -> list[tuple[float, float]]:
    """Log-prob and entropy at each place; -inf where the token could not have been drawn."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logps = np.log(probabilities)
        entropies = -np.where(probabilities > 0, probabilities * logps, 0.0).sum(1)
    return list(zip(logps[np.arange(len(ids)), ids], entropies, strict=True))


def _chi_square(tables: Any, first: Sequence[int]) -> tuple[float, float]:
    """Of first tokens against what was expected; rare tokens are one bin."""
    expected = tables.sum(0)
    seen = np.bincount(first, minlength=len(expected)).astype(float)
    often = expected >= 3
    expected = np.append(expected[often], expected[~often].sum())
    seen = np.append(seen[often], seen[~often].sum())
    used = expected > 0.5
    return float(((seen - expected)[used] ** 2 / expected[used]).sum()), float(used.sum() - 1)


def _figures(
    terms: Sequence[tuple[float, float]],
    chi2: float,
    freedom: float,
    drawn: Sequence[Sequence[Response]],
) -> Figures:
    from scipy.stats import chi2 as law

    found = np.array([term for term in terms if np.isfinite(term[0])])
    gaps = found.sum(1)
    every = [one for responses in drawn for one in responses]
    return Figures(
        tokens=len(terms),
        log_prob=float(found[:, 0].mean()),
        entropy=float(found[:, 1].mean()),
        z=float(gaps.mean() / (gaps.std() / np.sqrt(len(gaps)))),
        p_value=float(law.sf(chi2, freedom)),
        outside=len(terms) - len(found),
        length=float(np.mean([len(one.token_ids) for one in every])),
        distinct=float(np.mean([len({tuple(one.token_ids) for one in rs}) for rs in drawn])),
        ends=dict(Counter(one.fault.rule if one.fault else one.finish_reason for one in every)),
    )


def compare(path: Path, prompts: int, n: int) -> Iterator[tuple[str, str, Figures]]:
    """Engine, recipe and figures, one engine after another."""
    asked = requests(path, prompts, n)
    with served(path) as url:
        for name in ("transformers", "vllm", "server"):
            engine = sampler(name, path, url)
            for recipe, sampling in RECIPES.items():
                drawn = engine.sample(asked, NEW, (), sampling)
                yield name, recipe, measure(path, asked, drawn, sampling)
            engine.close()


def main(argv: Sequence[str]) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--policy", type=Path)
    parser.add_argument("--prompts", type=int, default=40)
    parser.add_argument("--n", type=int, default=32)
    args = parser.parse_args(argv)
    environment.prepare()
    print("| recipe | engine | tokens | log-prob | -entropy | z | first tokens, p | outside |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = args.policy or hostile(Path(folder) / "policy")
        found = list(compare(path, args.prompts, args.n))
    for engine, recipe, one in found:
        print(
            f"| {recipe} | {engine} | {one.tokens} | {one.log_prob:.4f} | {-one.entropy:.4f} | "
            f"{one.z:+.2f} | {one.p_value:.3f} | {one.outside} |"
        )
    print("\n| recipe | engine | mean length | distinct per prompt | ends |\n|---|---|---|---|---|")
    for engine, recipe, one in found:
        ends = ", ".join(f"{name} {count}" for name, count in sorted(one.ends.items()))
        print(f"| {recipe} | {engine} | {one.length:.2f} | {one.distinct:.2f} | {ends} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
