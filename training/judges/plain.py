"""A classifier's scores as anybody would compute them: padded batches, plain transformers.

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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curation.core.errors import UserError

BATCH = 4  # sequences of different lengths that are padded together
SIDES = ("right", "left")  # of padding
_PR_SET_PDEATHSIG = 1


def scores(
    path: Path, items: Sequence[Sequence[int]], sides: Sequence[str] = ("right",)
) -> dict[str, list[float]]:
    """Raw scores of token sequences, in float32 on the CPU, by the side that the padding is on."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(
        path, dtype="float32", use_safetensors=True, trust_remote_code=False
    ).eval()
    tokenizer = AutoTokenizer.from_pretrained(path, model_max_length=10**9, trust_remote_code=False)
    found = {}
    for side in sides:
        tokenizer.padding_side = side
        found[side] = _scores(model, tokenizer, items)
    return found


def _scores(model: Any, tokenizer: Any, items: Sequence[Sequence[int]]) -> list[float]:
    import torch

    found: list[float] = []
    for start in range(0, len(items), BATCH):
        batch = {"input_ids": [list(item) for item in items[start : start + BATCH]]}
        with torch.inference_mode():
            logits = model(**tokenizer.pad(batch, return_tensors="pt")).logits
        found += logits[:, 0].tolist()
    return found


def apart(path: Path, items: Sequence[Sequence[int]]) -> dict[str, list[float]]:
    """The scores with padding on either side, by side, from a process that ends with this one.

    Raises:
        UserError: the process failed; the message is the last line it said.
    """
    done = subprocess.run(
        [sys.executable, "-m", "training.judges.plain", str(path)],
        input=json.dumps([list(item) for item in items]),
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
    items, path = json.load(sys.stdin), Path(sys.argv[1])
    print(json.dumps(scores(path, items, SIDES)))


if __name__ == "__main__":
    main()
