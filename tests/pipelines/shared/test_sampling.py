"""generate with several policies and stop tokens, and engines of several processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from curation.core import ids, schema
from curation.core.errors import UserError
from pipelines.core.io import Outputs
from pipelines.stages.generate import main
from tests.models import user
from training.core import checkpoint
from training.core.chat_template import ChatTemplate
from training.engines.parallel import ParallelSampler, ParallelScorer, shares
from training.engines.protocol import Draw, Request
from training.engines.settings import Engine
from training.engines.transformers_sampler import TransformersSampler
from training.engines.transformers_scorer import TransformersScorer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def work(root: Path, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 8 prompts and the policies iter1 and sft, which are not the same."""
    folder = tmp_path_factory.mktemp("sampling")
    (folder / "iter1").symlink_to(base)
    model: Any = checkpoint.load_policy(base)
    model.lm_head.weight.data *= 1.5
    checkpoint.save(folder / "sft", model, checkpoint.load_tokenizer(base), {"policy": "sft"})
    messages = [user(f"question {k}?") for k in range(8)]
    frame = pl.DataFrame({"messages": messages}, schema={"messages": schema.MESSAGES})
    pool = frame.with_columns(
        prompt_id=ids.prompt_id(pl.col("messages")), source=pl.lit("made"), source_row=pl.lit("0"),
        n_chars=1, n_tokens=1, license=pl.lit("none"), bucket=0.3, split=pl.lit("train"),
        map_x=0.0, map_y=0.0, cluster=0,
    )  # fmt: skip
    outputs = Outputs()
    outputs.table(folder / "prompts.parquet", schema.PROMPTS, pool)
    outputs.commit()
    recipe = yaml.safe_load((root / "recipes/sample.yaml").read_text("utf-8"))
    recipe["iterations"]["iter2"] |= {"n": 3, "max_new_tokens": 24, "temperatures": [1.0, 0.7]}
    (folder / "params.yaml").write_text(yaml.safe_dump(recipe), "utf-8")
    return folder


def generate(work: Path, out: str, **knobs: Any) -> int:
    """Run the stage for iter2 with some knobs changed; its exit code."""
    recipe = yaml.safe_load((work / "params.yaml").read_text("utf-8"))
    recipe["iterations"]["iter2"] |= knobs
    (work / f"{out}.yaml").write_text(yaml.safe_dump(recipe), "utf-8")
    given = {
        "policy": "iter1", "prompts": "prompts.parquet", "params": f"{out}.yaml",
        "table": f"{out}.parquet", "rejects": f"{out}_rejects.parquet", "metrics": f"{out}.json",
    }  # fmt: skip
    flags = [part for name, file in given.items() for part in (f"--{name}", str(work / file))]
    return main(["--iteration", "iter2", *flags])


def said(work: Path, out: str) -> pl.DataFrame:
    return pl.read_parquet(work / f"{out}.parquet").sort("prompt_id", "sample")


@pytest.fixture(scope="module")
def alone(work: Path) -> pl.DataFrame:
    assert generate(work, "alone") == 0
    return said(work, "alone")


def test_a_further_policy_leaves_the_first_ones_responses_alone(
    work: Path, alone: pl.DataFrame
) -> None:
    assert generate(work, "both", also={"sft": 2}) == 0
    both = said(work, "both")
    first = both.filter(policy="iter1")
    assert first.equals(alone)
    further = both.filter(policy="sft")
    assert further["sample"].unique().to_list() == [3, 4]
    assert further["policy_sha"].unique().to_list() == [checkpoint.weights_sha(work / "sft")]
    assert both.height == 8 * 5
    assert both["generation_id"].is_unique().all()
    assert both["seed"].is_unique().all()


def test_a_stop_token_ends_a_response_and_is_not_part_of_its_text(
    work: Path, alone: pl.DataFrame
) -> None:
    template = ChatTemplate(checkpoint.load_tokenizer(work / "iter1"))
    plain = [token for row in alone["token_ids"] for token in row[2:] if token != template.end_id]
    counted = pl.Series(plain).value_counts(sort=True)
    stop = next(
        (token, text)
        for token in counted[:, 0]
        for text in [template.tokenizer.decode([token])]
        if template.tokenizer.encode(text, add_special_tokens=False) == [token]
    )
    assert generate(work, "stopped", stop=[stop[1]]) == 0
    cut = 0
    rows = zip(
        alone.iter_rows(named=True), said(work, "stopped").iter_rows(named=True), strict=True
    )
    for before, after in rows:
        long, short = before["token_ids"], after["token_ids"]
        if stop[0] in long:
            assert short == long[: long.index(stop[0]) + 1]
            assert after["finish_reason"] == "stop"
            assert after["response"] == template.decode(short[:-1])
            cut += 1
        else:
            assert short == long
    assert cut > 3


def test_a_stop_of_several_tokens_is_refused(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate(work, "refused", stop=["no such token at all"]) == 2
    error = capsys.readouterr().err
    assert "stop 'no such token at all' is" in error
    assert error.count("\n") == 1
    assert not (work / "refused.parquet").exists()


def test_two_processes_score_as_one(reward_model: Path, template: ChatTemplate) -> None:
    prompts = [template.encode(user(f"q {k}"), True) for k in range(5)]
    answers = template.completions(["woof", "moo", "a long answer " * 3])
    items = [prompt + answer for prompt in prompts for answer in answers]
    lengths = [len(prompt) for prompt in prompts for _ in answers]
    ours = TransformersScorer(reward_model, "float32", 4096).score(items, lengths)
    workers = ParallelScorer(Engine(data_parallel=2), reward_model)
    assert workers.score(items, lengths) == ours
    # Alone, an item's products are summed in another order than among its prompt's others.
    assert workers.score(items[:1], lengths[:1]) == pytest.approx(ours[:1], abs=1e-5)


def test_two_processes_sample_as_one(base: Path, template: ChatTemplate) -> None:
    requests = [
        Request(template.encode(user(f"q {k}"), True), (Draw(k, 1.0), Draw(50 + k, 0.7)))
        for k in range(5)
    ]
    ours = TransformersSampler(base, "float32", 4096)
    both = ParallelSampler(Engine(data_parallel=2), base)
    assert (both.name, both.version, both.context) == (ours.name, ours.version, ours.context)
    assert both.sample(requests, 12) == ours.sample(requests, 12)
    both.close()


def test_gpus_are_dealt_out_in_groups() -> None:
    engine = Engine(data_parallel=2, tensor_parallel=2)
    dealt = shares(engine, ["0", "1", "5", "7"])
    assert [one["CUDA_VISIBLE_DEVICES"] for one in dealt] == ["0,1", "5,7"]
    with pytest.raises(UserError, match="needs 4 GPUs; 3 are visible"):
        shares(engine, ["0", "1", "2"])
