"""What a head learns from a few hundred real comparisons, by layer and by what it reads.

    python -m benchmarks.few_rows BASE [--pairs 256] [--max-tokens 640] [--work FOLDER]

BASE is a checkpoint folder (`data/checkpoints/base` of a recipe on a real model). Each pair goes
through the frozen model once; features of several layers are kept in WORK, so that a run that was
stopped goes on. Every figure is of pairs that the head was not fitted on: five folds by prompt, the
pull `l2` chosen anew on the other folds, as `reward_model.train: head` chooses it. Intervals are 2
standard errors of the mean. The rows are those of ../shared/data.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DATA = Path("../shared/data")
LAYERS = (0.6, 0.8, 1.0)  # shares of the model's depth
POOLS = ("last", "mean")
FOLDS, SEED = 5, 105
Features = NDArray[np.float32]  # [pairs, sides, layers, pools, width]


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table of held-out accuracies in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", type=Path)
    parser.add_argument("--pairs", type=int, default=256)
    parser.add_argument("--max-tokens", type=int, default=640)
    parser.add_argument("--work", type=Path, default=Path(".work/few_rows"))
    args = parser.parse_args(argv)
    from training.core import environment

    environment.prepare()
    args.work.mkdir(parents=True, exist_ok=True)
    lines = []
    for name, found in (("HH harmless", _hh), ("UltraFeedback", _ultrafeedback)):
        rows = _fitting(args.base, list(found()), args.pairs, args.max_tokens)
        started = time.process_time()
        layers, features = _features(args.base, rows, args.work / name.split()[0])
        spent = time.process_time() - started
        lines += _table(name, rows, layers, features, spent)
    print("\n".join(lines))
    return 0


def _ultrafeedback() -> Iterator[Any]:
    """Comparisons whose scores differ by 1.5 or more."""
    for row in _read(DATA / "ultrafeedback/binarized_1000.jsonl.gz"):
        margin = row["metadata"]["score_chosen"] - row["metadata"]["score_rejected"]
        if margin >= 1.5:
            yield _comparison(row["prompt"], row["chosen"], row["rejected"])


def _hh() -> Iterator[Any]:
    """Comparisons of single-turn dialogues that differ in the last answer alone."""
    for row in _read(DATA / "hh_rlhf/harmless-base_test.jsonl.gz"):
        chosen, rejected = (row[side].split("\n\nAssistant: ") for side in ("chosen", "rejected"))
        if len(chosen) == len(rejected) == 2 and chosen[0] == rejected[0]:
            yield _comparison(chosen[0].removeprefix("\n\nHuman: "), chosen[1], rejected[1])


def _read(file: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines)


def _comparison(prompt: str, chosen: str, rejected: str) -> Any:
    from training.trainers.examples import Comparison

    key = hashlib.sha256(f"{prompt}\0{chosen}\0{rejected}".encode()).hexdigest()
    return Comparison(key, [{"role": "user", "content": prompt}], chosen.strip(), rejected.strip())


def _fitting(base: Path, items: list[Any], count: int, most: int) -> list[dict[str, Any]]:
    """The first `count` by hash whose prompt and responses are `most` tokens together."""
    from training.core import checkpoint
    from training.core.chat_template import ChatTemplate
    from training.trainers import examples

    template = ChatTemplate(checkpoint.load_tokenizer(base))
    plain = [
        item
        for item in items
        if not template.marker_in(item.prompt[0]["content"], item.chosen, item.rejected)
        and item.chosen != item.rejected
    ]
    rows = examples.pairs(template, sorted(plain, key=lambda item: item.key), 1 << 20).rows
    return [row for row in rows if _tokens(row) <= most][:count]


def _tokens(row: dict[str, Any]) -> int:
    return len(row["prompt_ids"]) + len(row["chosen_ids"]) + len(row["rejected_ids"])


def _features(base: Path, rows: list[dict[str, Any]], work: Path) -> tuple[list[int], Features]:
    """What heads would read of every pair, all layers in one pass; kept pair by pair."""
    import torch

    from training.core import checkpoint, depth
    from training.engines import shared_prefix

    work.mkdir(exist_ok=True)
    model = checkpoint.load_classifier(base, num_labels=1)
    total = model.config.get_text_config().num_hidden_layers
    layers = [round(share * total) for share in LAYERS]
    assert shared_prefix.enable(model)
    stack, seen = depth.layers_of(model, total, "layers"), {}
    for layer in layers:
        stack[layer - 1].register_forward_hook(
            lambda _module, _given, out, layer=layer: seen.update({layer: out})
        )
    found = []
    for place, row in enumerate(rows):
        file = work / f"{row['key'][:24]}.npy"
        if not file.is_file():
            with torch.inference_mode():
                made = _one(model, row, layers, seen)
            np.save(file, made)
            print(f"{work.name}: {place + 1}/{len(rows)}", file=sys.stderr, flush=True)
        found.append(np.load(file))
    return layers, np.stack(found)


def _one(model: Any, row: dict[str, Any], layers: list[int], seen: dict[int, Any]) -> Features:
    """One pair: [sides, layers, pools, width], each layer under the model's final norm."""
    import torch

    from training.engines.shared_prefix import Group, read

    sides = (row["chosen_ids"], row["rejected_ids"])
    read(model, [Group(row["prompt_ids"], sides)])
    start, spans = len(row["prompt_ids"]), []
    for side in sides:
        spans.append(slice(start, start + len(side)))
        start += len(side)
    hidden = {layer: model.base_model.norm(seen[layer])[0] for layer in layers}
    made = [
        [torch.stack([hidden[layer][own][-1], hidden[layer][own].mean(0)]) for layer in layers]
        for own in spans
    ]
    stacked: Features = torch.stack([torch.stack(side) for side in made]).numpy()
    return stacked


def _table(
    name: str, rows: list[dict[str, Any]], layers: list[int], features: Features, spent: float
) -> list[str]:
    lengths = np.array(
        [[len(row[side]) for side in ("chosen_ids", "rejected_ids")] for row in rows]
    )
    longer = (lengths[:, 0] > lengths[:, 1]) + (lengths[:, 0] == lengths[:, 1]) / 2
    tokens = sum(_tokens(row) for row in rows)
    lines = [
        f"\n{name}: {len(rows)} pairs, {tokens:,} tokens, {spent:.0f} CPU s\n",
        "| reads | held-out accuracy | on the pairs it was fitted on |",
        "|:--|--:|--:|",
        f"| the longer response | {_interval(longer)} | |",
    ]
    groups = [str(row["prompt_ids"]) for row in rows]
    for at, layer in enumerate(layers):
        for pool, kind in enumerate(POOLS):
            right, fitted = _held_out(features[:, :, at, pool], groups)
            lines.append(f"| layer {layer}, {kind} | {_interval(right)} | {fitted:.3f} |")
    return lines


def _held_out(features: Features, groups: list[str]) -> tuple[NDArray[Any], float]:
    """Whether each pair is right under a head that was fitted on other prompts; and when fitted."""
    from training.trainers import bradley_terry

    names = sorted(set(groups))
    dealt = np.random.default_rng(SEED).permutation(len(names)) % FOLDS
    fold_of = dict(zip(names, dealt.tolist(), strict=True))
    folds = np.array([fold_of[name] for name in groups])
    right, fitted = np.empty(len(groups)), []
    for fold in range(FOLDS):
        kept = folds != fold
        pairs = bradley_terry.Pairs(
            features[kept, 0], features[kept, 1], np.zeros(kept.sum()),
            [name for name, keep in zip(groups, kept, strict=True) if keep],
        )  # fmt: skip
        head = bradley_terry.solve(pairs, None, SEED).weights
        gaps = (features[:, 0] - features[:, 1]) @ head
        right[~kept] = (gaps[~kept] > 0) + (gaps[~kept] == 0) / 2
        fitted.append(float((gaps[kept] > 0).mean()))
    return right, float(np.mean(fitted))


def _interval(right: NDArray[Any]) -> str:
    return f"{right.mean():.3f} +- {2 * right.std(ddof=1) / len(right) ** 0.5:.3f}"


if __name__ == "__main__":
    sys.exit(main())
