"""A reward model's scores as anybody would compute them: padded batches, plain transformers.

None of the project's engines is used, and `apart` does it in a process of its own, so that what
they share by mistake (a place to read, a token of padding, a changed model) would be seen.

Run: python -m training.judges.plain FOLDER < items.json
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from training.core import reward_head

BATCH = 4  # sequences of different lengths that are padded together
SIDES = ("right", "left")  # of padding
_PR_SET_PDEATHSIG = 1
_PLAINLY = {"dtype": "float32", "use_safetensors": True, "trust_remote_code": False}


def scores(
    path: Path,
    items: Sequence[Sequence[int]],
    sides: Sequence[str] = ("right",),
    prompts: Sequence[int] | None = None,
) -> dict[str, list[float]]:
    """Raw scores of token sequences, in float32 on the CPU, by the side that the padding is on.

    Args:
        prompts: how many leading tokens of each are its prompt; for a mean over the response.
    """
    from transformers import AutoTokenizer

    if reward_head.pooling(path) == "mean":
        assert prompts is not None
        forward: Forward = _mean(path)
    else:
        forward = _last(path)
    tokenizer = AutoTokenizer.from_pretrained(path, model_max_length=10**9, trust_remote_code=False)
    found = {}
    for side in sides:
        tokenizer.padding_side = side
        found[side] = _scores(forward, tokenizer, items, prompts or [0] * len(items))
    return found


Forward = Callable[[Any, Sequence[int]], Any]
"""Padded ids with their mask, and the prompts' lengths, to one score each."""


def _last(path: Path) -> Forward:
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(path, **_PLAINLY).eval()
    return lambda batch, _: model(**batch).logits[:, 0]


def _mean(path: Path) -> Forward:
    """As the card of such a model says it is loaded."""
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModel

    model = AutoModel.from_pretrained(path, **_PLAINLY).eval()
    head = load_file(path / reward_head.FILE)[reward_head.NAME].float()

    def forward(batch: Any, prompts: Sequence[int]) -> Any:
        seen = batch["attention_mask"]
        response = (seen.cumsum(1) > torch.tensor(prompts)[:, None]) * seen
        at_token = (model(**batch).last_hidden_state @ head.T)[..., 0]
        return (at_token * response).sum(1) / response.sum(1)

    return forward


def _scores(
    forward: Forward, tokenizer: Any, items: Sequence[Sequence[int]], prompts: Sequence[int]
) -> list[float]:
    import torch

    found: list[float] = []
    for start in range(0, len(items), BATCH):
        part = slice(start, start + BATCH)
        batch = {"input_ids": [list(item) for item in items[part]]}
        with torch.inference_mode():
            found += forward(tokenizer.pad(batch, return_tensors="pt"), prompts[part]).tolist()
    return found


def apart(
    path: Path, items: Sequence[Sequence[int]], prompts: Sequence[int] | None = None
) -> dict[str, list[float]]:
    """The scores with padding on either side, by side, from a process that ends with this one.

    Raises:
        UserError: the process failed; the message is the last line it said.
    """
    told = {"items": [list(item) for item in items], "prompts": prompts and list(prompts)}
    done = subprocess.run(
        [sys.executable, "-m", "training.judges.plain", str(path)],
        input=json.dumps(told),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise UserError(f"{path}: a plain forward pass of the model failed: {said[-1]}")
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found


def main() -> None:
    """Read items of standard input, write scores by side of padding."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    from training.core import environment

    environment.prepare()
    told, path = json.load(sys.stdin), Path(sys.argv[1])
    print(json.dumps(scores(path, told["items"], SIDES, told["prompts"])))


if __name__ == "__main__":
    main()
