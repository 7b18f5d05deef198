"""What each stage of an 8B recipe holds on a GPU, with its arithmetic, beside what the GPU has.

Run: python -m benchmarks.memory [--recipe llama3-8b] [--gib 74.5] [--out PAGE.md]

No weight is made: the model is laid out by transformers on fake tensors, its parameters are
counted, and torch's MemTracker follows every tensor of a pass, there and back, of one and of two
layers. The rest is counted by hand from the recipe's own numbers. bfloat16 is 2 bytes, float32 4.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipelines.core import params as parameters
from pipelines.core.params import Params
from pipelines.core.params.models import Train
from pipelines.core.params.placement import Placement

GIB = 2**30
GPU = 80e9 / GIB  # what an "80 GB" GPU has at least
TILE = (4096, 32_768)  # tokens and vocabulary that TRL's fused head computes at once
CONTEXT = 600  # MiB of CUDA's context and libraries
SHAPES: dict[str, dict[str, Any]] = {
    "meta-llama/Meta-Llama-3-8B": {
        "kind": "llama", "vocab_size": 128_256, "hidden_size": 4096, "intermediate_size": 14_336,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
        "max_position_embeddings": 8192, "tie_word_embeddings": False,
    },
    "Qwen/Qwen3-8B-Base": {
        "kind": "qwen3", "vocab_size": 151_936, "hidden_size": 4096, "intermediate_size": 12_288,
        "num_hidden_layers": 36, "num_attention_heads": 32, "num_key_value_heads": 8,
        "head_dim": 128, "max_position_embeddings": 32_768, "tie_word_embeddings": False,
    },
    "google/gemma-2b": {
        "kind": "gemma", "vocab_size": 256_000, "hidden_size": 2048, "intermediate_size": 16_384,
        "num_hidden_layers": 18, "num_attention_heads": 8, "num_key_value_heads": 1,
        "head_dim": 256, "max_position_embeddings": 8192, "tie_word_embeddings": True,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One thing that a stage holds on a GPU: how its bytes come about."""

    what: str
    sum: str
    bytes: float

    @property
    def gib(self) -> float:
        """The bytes in GiB."""
        return self.bytes / GIB


@dataclass(frozen=True)
class Model:
    """A model's shape and its numbers of parameters."""

    shape: dict[str, Any]
    all: int
    layer: int
    embeddings: int  # a head of its own included

    def get(self, name: str) -> int:
        """A number of its config."""
        return int(self.shape[name])

    @property
    def kv(self) -> int:
        """Bytes of keys and values of one token in bfloat16."""
        size = self.shape.get("head_dim") or self.get("hidden_size") // self.get(
            "num_attention_heads"
        )
        return 2 * self.get("num_hidden_layers") * self.get("num_key_value_heads") * size * 2


def laid_out(shape: dict[str, Any], layers: int, dtype: Any) -> Any:
    """The body of a causal model without weights; call it inside a FakeTensorMode."""
    from transformers import AutoConfig, AutoModel

    given = {key: value for key, value in shape.items() if key != "kind"}
    config = AutoConfig.for_model(shape["kind"], **{**given, "num_hidden_layers": layers})
    return AutoModel.from_config(config, dtype=dtype)


def counted(shape: dict[str, Any]) -> Model:
    """The parameters, counted on the meta device."""
    import torch

    with torch.device("meta"):
        one, two = (
            sum(weight.numel() for weight in laid_out(shape, n, torch.bfloat16).parameters())
            for n in (1, 2)
        )
    layer, vocabulary = two - one, shape["vocab_size"] * shape["hidden_size"]
    embeddings = vocabulary * (1 if shape["tie_word_embeddings"] else 2)
    rest = one - layer - vocabulary  # the last norm
    return Model(shape, layer * shape["num_hidden_layers"] + embeddings + rest, layer, embeddings)


def followed(shape: dict[str, Any], layers: int, rows: int, width: int, *, train: bool) -> float:
    """Bytes of activations: kept for the way back by a training pass, or at most in a plain one.

    A plain pass is the reference's: matrices in bfloat16, the rest in float32.
    """
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.distributed._tools.mem_tracker import MemTracker

    from training.engines.logprobs import halved

    with FakeTensorMode():
        model = laid_out(shape, layers, torch.bfloat16 if train else torch.float32)
        model = model.train() if train else halved(model).eval()
        tracker = MemTracker()
        tracker.track_external(model)
        ids = torch.zeros((rows, width), dtype=torch.long)
        with (
            tracker,
            torch.autocast("cpu", torch.bfloat16, enabled=not train),
            torch.set_grad_enabled(train),
        ):
            kept = model(input_ids=ids, use_cache=False)
            moment = tracker.get_tracker_snapshot("current" if train else "peak")
            del kept
    held = next(iter(moment.values()))
    return float(sum(size for kind, size in held.items() if "ACT" in str(kind)))


def activations(model: Model, rows: int, width: int, checkpointing: bool) -> Line:
    """What a training pass keeps for the way back."""
    layers, tokens = model.get("num_hidden_layers"), rows * width
    one, two = (followed(model.shape, n, rows, width, train=True) for n in (1, 2))
    if checkpointing:
        kept = tokens * model.get("hidden_size") * 2
        told = f"{one / GIB:.2f} of a layer + {layers - 1} layers x {kept / GIB:.3f} of its input"
        return Line("activations, recomputed", told, one + (layers - 1) * kept)
    told = f"{one / GIB:.2f} of a layer + {layers - 1} layers x {(two - one) / GIB:.2f}"
    return Line("activations", told, one + (layers - 1) * (two - one))


def backwards(model: Model, tokens: int) -> Line:
    """Gradients of activations while a layer is gone through backwards."""
    hidden, inner = model.get("hidden_size"), model.get("intermediate_size")
    told = f"{tokens} x (2 x {inner} + 3 x {hidden}) x 2"
    return Line("gradients of activations", told, tokens * (2 * inner + 3 * hidden) * 2)


def state(model: Model, split: int) -> Iterator[Line]:
    """What a trainer holds between passes, in float32, dealt to so many GPUs."""
    over = f" / {split} GPUs" if split > 1 else ""
    for what, each in (("weights", 4), ("gradients", 4), ("AdamW's two moments", 8)):
        yield Line(what, f"{model.all / 1e9:.2f}e9 x {each}{over}", model.all * each / split)


def gathered(model: Model, split: int) -> Iterator[Line]:
    """What FSDP brings together for a pass."""
    if split == 1:
        yield Line("weights in bfloat16", f"{model.all / 1e9:.2f}e9 x 2", model.all * 2)
        return
    two = 2 * model.layer * 2
    yield Line("two layers gathered", f"2 x {model.layer / 1e6:.0f}e6 x 2", two)
    yield Line("a layer's gradient", f"{model.layer / 1e6:.0f}e6 x 4", model.layer * 4)
    told = f"{model.embeddings / 1e9:.2f}e9 x 2"
    yield Line("embeddings and head gathered", told, model.embeddings * 2)


def head(model: Model, tokens: int) -> Iterator[Line]:
    """The language model's head in tiles, as TRL's trainers compute it."""
    vocabulary, hidden = model.get("vocab_size"), model.get("hidden_size")
    tile = TILE[0] * TILE[1] * 2
    grads = (vocabulary + tokens) * hidden * 4
    yield Line("logits, a tile", f"{TILE[0]} x {TILE[1]} x 2", tile)
    yield Line("gradients of the head", f"({vocabulary} + {tokens}) x {hidden} x 4", grads)


def whole_logits(model: Model, tokens: int) -> Line:
    """What logits would take if they were kept: bfloat16 and their float32 copy."""
    size = model.get("vocab_size")
    return Line("(whole logits would be)", f"{tokens} x {size} x 6", tokens * size * 6)


def trained(model: Model, train: Train, rows: int, *, labelled: bool = False) -> list[Line]:
    """A trainer's lines; `rows` sequences at once on a GPU."""
    width = train.max_length
    split = sharded(train.launch)
    lines = [*state(model, split), *gathered(model, split)]
    lines.append(activations(model, rows, width, train.gradient_checkpointing))
    other = activations(model, rows, width, not train.gradient_checkpointing)
    lines.append(Line(f"({other.what} would be)", other.sum, other.bytes))
    lines.append(backwards(model, rows * width))
    mask = rows * width * width
    lines.append(Line("mask", f"{rows} x {width} x {width}", mask))
    if not labelled:
        lines += [*head(model, rows * width), whole_logits(model, rows * width)]
    return lines


def sharded(launch: str | None) -> int:
    """How many GPUs share a trainer's state under a launch file."""
    config = yaml.safe_load(Path(launch).read_text("utf-8")) if launch else {}
    shares = config.get("distributed_type") in ("FSDP", "DEEPSPEED")
    return int(config["num_processes"]) if shares else 1


def served(model: Model, length: int, share: float, gpu: float) -> list[Line]:
    """vLLM's share of a GPU: weights, and as many tokens as the rest holds."""
    weights = model.all * 2
    spare = 2 * GIB  # activations of a step, CUDA graphs
    room = gpu * GIB * share - weights - spare
    told = f"{gpu:.1f} x {share} - weights - 2; {model.kv // 1024} KiB a token"
    told += f": {room / model.kv:,.0f} tokens, {room / model.kv / length:,.0f} of {length}"
    return [
        Line("weights in bfloat16", f"{model.all / 1e9:.2f}e9 x 2", weights),
        Line("a step's activations", "about 2", spare),
        Line("keys and values", told, room),
    ]


def summed(model: Model, tokens: int, width: int) -> list[Line]:
    """A pass for log-probs: matrices in bfloat16, the rest in float32, logits in parts."""
    from training.engines.logprobs import LOGITS

    size = model.get("vocab_size")
    tied = model.shape["tie_word_embeddings"]
    kept = size * model.get("hidden_size") * 4
    matrices = (model.all - size * model.get("hidden_size")) * 2
    rows = tokens // width
    passed = followed(model.shape, 1, rows, width, train=False)
    return [
        Line("matrices in bfloat16", f"{matrices / 2e9:.2f}e9 x 2", matrices),
        Line(f"embeddings{' and head' if tied else ''}", f"{kept / 4e9:.2f}e9 x 4", kept),
        Line("activations of a layer", f"{rows} rows x {width} tokens", passed),
        Line("logits, in parts", f"{LOGITS / 1e6:.0f}e6 x (2 + 4 + 4)", LOGITS * 10.0),
        whole_logits(model, tokens),
    ]


def stages(params: Params, model: Model, gpu: float) -> Iterator[tuple[str, list[Line]]]:
    """Every stage that holds a model, with its lines."""
    share = Placement().memory_share
    first = next(iter(params.iterations.values()))
    length = params.prompts.max_tokens + first.max_new_tokens
    tokens = params.engine.batch_tokens
    if params.sft is not None:
        yield "sft", trained(model, params.sft, params.sft.per_device_batch)
    for name in params.mixes:
        section = params.reward_model
        lines = trained(model, section, 2 * section.per_device_batch, labelled=True)
        yield f"reward_model@{name}", lines
    yield (
        "preference_model",
        trained(model, params.preference_model, params.preference_model.per_device_batch),
    )
    yield "generate", served(model, length, share, gpu)
    yield "score, length_bias", served(model, length, share, gpu)
    yield "reference, evaluate (KL)", summed(model, tokens, params.dpo.max_length)
    yield "dpo", trained(model, params.dpo, 2 * params.dpo.per_device_batch)
    yield "dpo_offline", trained(model, params.dpo_offline, 2 * params.dpo_offline.per_device_batch)


def page(recipe: str, params: Params, model: Model, gpu: float) -> str:
    """All of it as Markdown."""
    found = list(stages(params, model, gpu))
    lines = [
        f"# Memory of recipes/{recipe}.yaml on one GPU of several",
        "",
        f"`python -m benchmarks.memory --recipe {recipe}` writes this page: {params.base.uri}, "
        f"{model.all / 1e9:.3f}e9 parameters, {model.layer / 1e6:.1f}e6 in a layer. Nothing of it "
        "was measured on a GPU. Activations are followed on fake tensors by torch's MemTracker; a "
        "flash kernel is assumed, which keeps no matrix of attention. GiB throughout; an 80 GB GPU "
        f"has {gpu:.1f}. What stands in brackets is not held.",
        "",
        "| stage | GiB | of the GPU | largest |",
        "|---|---|---|---|",
        *(_total(name, held, gpu) for name, held in found),
    ]
    for name, held in found:
        lines += ["", f"## {name}", "", "| what | arithmetic | GiB |", "|---|---|---|"]
        lines += [f"| {one.what} | {one.sum} | {one.gib:.2f} |" for one in held]
    return "\n".join(lines) + "\n"


def _held(lines: Sequence[Line]) -> list[Line]:
    return [one for one in lines if not one.what.startswith("(")]


def _total(name: str, lines: Sequence[Line], gpu: float) -> str:
    held = _held(lines)
    total = sum(one.gib for one in held) + CONTEXT / 1024
    largest = max(held, key=lambda one: one.bytes)
    return f"| {name} | {total:.1f} | {total / gpu:.0%} | {largest.what} |"


def main() -> None:
    """Parse, count, write."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--recipe", default="llama3-8b")
    parser.add_argument("--gib", type=float, default=GPU, help="memory of a GPU")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    params = parameters.load(Path(f"recipes/{args.recipe}.yaml"))
    model = counted(SHAPES[str(params.base.uri).removeprefix("hf://")])
    said = page(args.recipe, params, model, args.gib)
    print(said)
    if args.out:
        args.out.write_text(said, "utf-8")


if __name__ == "__main__":
    main()
