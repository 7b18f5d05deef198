from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from curation.core.errors import UserError
from tests.models import comparisons, user
from training.core import checkpoint
from training.core.chat_template import ChatTemplate
from training.engines import shared_prefix
from training.engines.settings import Engine
from training.engines.transformers_scorer import TransformersScorer
from training.judges.reward_model import RewardModelJudge


def items(template: ChatTemplate) -> list[list[int]]:
    texts = ["woof", "moo", "", "a long answer " * 4, "x"]
    return [
        template.encode(user(f"q {k}"), True) + template.completions([text])[0]
        for k in range(4)
        for text in texts
    ]


def prompt_lengths(template: ChatTemplate) -> list[int]:
    return [len(template.encode(user(f"q {k}"), True)) for k in range(4) for _ in range(5)]


def test_scores_equal_the_plain_model_one_by_one(
    reward_model: Path, template: ChatTemplate
) -> None:
    rows, prompts = items(template), prompt_lengths(template)
    model: Any = checkpoint.load_classifier(reward_model)
    with torch.inference_mode():
        plain = [float(model(torch.tensor([row])).logits[0, 0]) for row in rows]
    scorer = TransformersScorer(reward_model, "float32", 100_000)
    assert scorer.shares
    assert scorer.score(rows, prompts) == pytest.approx(plain, abs=1e-5)
    assert scorer.score(rows) == pytest.approx(plain, abs=1e-5)
    assert len(set(plain)) == len(plain)


@pytest.mark.parametrize(("dtype", "near"), [("float32", 1e-5), ("bfloat16", 0.05)])
def test_the_cpu_and_the_gpu_attend_alike(
    reward_model: Path, template: ChatTemplate, monkeypatch: pytest.MonkeyPatch,
    dtype: str, near: float,
) -> None:  # fmt: skip
    rows, prompts = items(template), prompt_lengths(template)
    scorer = TransformersScorer(reward_model, dtype, 4096)
    assert scorer.shares
    merged = scorer.score(rows, prompts)
    monkeypatch.setattr(shared_prefix, "_merged", shared_prefix._masked)
    assert scorer.score(rows, prompts) == pytest.approx(merged, abs=near, rel=near)


def test_a_reward_depends_on_its_own_prompt_alone(
    reward_model: Path, template: ChatTemplate
) -> None:
    """Shuffled, cut into shards at any prompt, repeated: the same to the last bit."""
    rows, prompts = items(template), prompt_lengths(template)
    scorer = TransformersScorer(reward_model, "float32", 4096)
    whole = scorer.score(rows, prompts)
    assert scorer.score(rows[5:15], prompts[5:15]) == whole[5:15]
    order = [7, 19, 3, 0, 12, 1, 18, 2, 4, 5, 6, 8, 9, 10, 11, 13, 14, 15, 16, 17]
    shuffled = scorer.score([rows[k] for k in order], [prompts[k] for k in order])
    assert shuffled == [whole[k] for k in order]
    assert scorer.score(rows * 2, prompts * 2) == whole * 2


def test_each_token_is_computed_once(reward_model: Path, template: ChatTemplate) -> None:
    rows, prompts = items(template), prompt_lengths(template)
    scorer = TransformersScorer(reward_model, "float32", 4096)
    seen: list[int] = []
    scorer.model.get_input_embeddings().register_forward_hook(
        lambda _module, given, _out: seen.append(given[0].numel())
    )
    scorer.score(rows * 3, prompts * 3)
    shared = {tuple(row[:n]) for row, n in zip(rows, prompts, strict=True)}
    own = sum(len(row) - n for row, n in zip(rows, prompts, strict=True))
    assert sum(seen) == own + sum(len(prompt) for prompt in shared)
    assert len(seen) == len(shared)
    seen.clear()
    budget = 40  # less than a group: its prompt is computed again for each part
    small = TransformersScorer(reward_model, "float32", budget)
    assert small.score(rows, prompts) == pytest.approx(scorer.score(rows, prompts), abs=1e-5)


def test_a_model_with_sliding_windows_gets_padded_batches(tokenizer: Any, tmp_path: Path) -> None:
    from transformers import MistralConfig, MistralForSequenceClassification

    torch.manual_seed(3)
    shape = MistralConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=128,
        sliding_window=8, num_labels=1, initializer_range=0.2,
    )  # fmt: skip
    model = MistralForSequenceClassification(shape).eval()
    checkpoint.save(tmp_path / "mistral", model, tokenizer, {})
    scorer = TransformersScorer(tmp_path / "mistral", "float32", 64)
    assert not scorer.shares
    rows = [[5 + k, *range(1, 4 + 3 * k)] for k in range(10)]
    with torch.inference_mode():
        plain = [float(model(torch.tensor([row])).logits[0, 0]) for row in rows]
    assert scorer.score(rows, [2] * 10) == pytest.approx(plain, abs=1e-5)
    mean = TransformersScorer(tmp_path / "mistral", "float32", 64, "mean")
    with torch.inference_mode():
        hidden = [model.model(torch.tensor([row])).last_hidden_state[0, 2:] for row in rows]
        want = [float(model.score(own).mean()) for own in hidden]
    assert mean.score(rows, [2] * 10) == pytest.approx(want, abs=1e-5)


def test_a_mean_over_the_response_shares_prompts_too(
    reward_model: Path, template: ChatTemplate
) -> None:
    rows, prompts = items(template), prompt_lengths(template)
    model: Any = checkpoint.load_classifier(reward_model)
    with torch.inference_mode():
        want = [
            float(model.score(model.model(torch.tensor([row])).last_hidden_state[0, n:]).mean())
            for row, n in zip(rows, prompts, strict=True)
        ]
    scorer = TransformersScorer(reward_model, "float32", 4096, "mean")
    assert scorer.shares
    assert scorer.score(rows, prompts) == pytest.approx(want, abs=1e-5)
    with pytest.raises(ValueError, match="needs the prompts' lengths"):
        scorer.score(rows)


@pytest.mark.parametrize("pad", ["the end token", None])
def test_a_score_stands_where_plain_transformers_reads_it(
    reward_model: Path, template: ChatTemplate, tmp_path: Path, pad: str | None
) -> None:
    """A model of others whose pad is its end token is read before the end, alone and in batches."""
    other = tmp_path / "other"
    shutil.copytree(reward_model, other)
    config = json.loads((other / "config.json").read_text())
    config["pad_token_id"] = pad and config["eos_token_id"]
    (other / "config.json").write_text(json.dumps(config))
    rows, prompts = items(template), prompt_lengths(template)
    plain: Any = AutoModelForSequenceClassification.from_pretrained(other).eval()
    with torch.inference_mode():
        expected = [float(plain(torch.tensor([row])).logits[0, 0]) for row in rows]
    own = TransformersScorer(reward_model, "float32", 4096).score(rows)
    near = max(abs(a - b) for a, b in zip(own, expected, strict=True))
    assert (near > 0.01) == (pad is not None)  # it is another place, and another score
    scorer = TransformersScorer(other, "float32", 4096)
    assert scorer.shares
    assert scorer.score(rows, prompts) == pytest.approx(expected, abs=1e-5)
    padded = TransformersScorer(other, "float32", 4096)
    padded.model.set_attn_implementation("sdpa")
    padded.shares = False
    assert padded.score(rows) == pytest.approx(expected, abs=1e-5)
    assert padded.score(rows) == pytest.approx(expected, abs=1e-5)  # and again


def test_it_learned_what_it_was_shown(reward_model: Path) -> None:
    judge = RewardModelJudge(reward_model, Engine())
    pairs = comparisons(20)
    good = judge.judge([(pair.prompt, pair.chosen) for pair in pairs])
    bad = judge.judge([(pair.prompt, pair.rejected) for pair in pairs])
    assert all(a.reward > b.reward for a, b in zip(good, bad, strict=True))  # type: ignore[operator]


def test_reference_scores_are_stored_and_replayed(reward_model: Path, tmp_path: Path) -> None:
    stored = checkpoint.card(reward_model)["reference_scores"]
    assert len(stored) == 8
    tampered = tmp_path / "tampered"
    shutil.copytree(reward_model, tampered)
    card = checkpoint.card(tampered)
    card["reference_scores"][3]["score"] += 0.01
    (tampered / checkpoint.CARD).write_text(json.dumps(card))
    with pytest.raises(UserError, match="not loaded as it was trained"):
        RewardModelJudge(tampered, Engine())


def test_a_score_that_is_not_finite_is_null_with_a_reason(
    reward_model: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    model: Any = checkpoint.load_classifier(reward_model)
    with torch.no_grad():
        model.score.weight.fill_(3e38)  # finite by itself
    checkpoint.save(broken, model, checkpoint.load_tokenizer(reward_model), {"name": "x"})
    verdict = RewardModelJudge(broken, Engine()).judge([(user("a"), "b")])[0]
    assert verdict.reward is None
    assert "not finite" in str(verdict.reason)


def test_more_than_one_label_is_refused(base: Path, tokenizer: Any, tmp_path: Path) -> None:
    model = checkpoint.load_classifier(base, num_labels=3)
    checkpoint.save(tmp_path / "three", model, tokenizer, {})
    with pytest.raises(UserError, match="3 labels"):
        TransformersScorer(tmp_path / "three", "float32", 100)


def test_an_architecture_that_ignores_logits_to_keep_is_not_misread() -> None:
    from training.engines.logprobs import completion_logprobs

    class Ignores(torch.nn.Module):
        """Answers with the logits of every place, whatever it was asked for."""

        device = torch.device("cpu")

        def forward(self, input_ids: torch.Tensor, **_: Any) -> Any:
            logits = torch.nn.functional.one_hot((input_ids + 1) % 7, 7).float() * 5
            return SimpleNamespace(logits=logits)

    found = completion_logprobs(Ignores(), [([1, 2], [3, 4]), ([1, 2, 3], [4])], 64)
    sure = float(torch.log_softmax(torch.tensor([5.0] + [0.0] * 6), -1)[0])
    assert found == pytest.approx([2 * sure, sure], abs=1e-5)
