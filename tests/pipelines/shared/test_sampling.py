"""generate with several policies and stop tokens, and engines of several processes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from curation.core import ids, schema
from pipelines.core.outputs import Outputs
from pipelines.core.params import placement
from pipelines.core.params.placement import Placement
from pipelines.shared.sampling import _told
from pipelines.stages.gate import main as gate
from pipelines.stages.generate import main
from tests.models import user
from training.core import checkpoint
from training.core.chat_template import ChatTemplate
from training.engines.protocol import Response

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


def generate(work: Path, out: str, policy: str = "iter1", **knobs: Any) -> int:
    """Run the stage for iter2 with some knobs changed; its exit code."""
    recipe = yaml.safe_load((work / "params.yaml").read_text("utf-8"))
    recipe["engine"] |= knobs.pop("_engine", {})
    recipe["iterations"]["iter2"] |= knobs
    (work / f"{out}.yaml").write_text(yaml.safe_dump(recipe), "utf-8")
    entry = {"path": str(work / "sft"), "sha": checkpoint.weights_sha(work / "sft")}
    (work / "policies.json").write_text(json.dumps({"sft": entry}), "utf-8")
    given = {
        "policies": "policies.json", "policy": policy,
        "prompts": "prompts.parquet", "params": f"{out}.yaml",
        "table": f"{out}.parquet", "rejects": f"{out}_rejects.parquet", "metrics": f"{out}.json",
    }  # fmt: skip
    flags = [part for name, file in given.items() for part in (f"--{name}", str(work / file))]
    return main(["--iteration", "iter2", *flags])


def drawn(work: Path, out: str) -> pl.DataFrame:
    """Responses and failed draws: prompt, number, tokens and the rule of those that failed."""
    names = ["prompt_id", "sample", "token_ids", "finish_reason", "response"]
    rejects = pl.read_parquet(work / f"{out}_rejects.parquet")
    draw = pl.Struct({name: schema.GENERATIONS.polars[name] for name in names})
    failed = rejects.select(pl.col("payload").str.json_decode(draw), "rule").unnest("payload")
    whole = said(work, out).select(*names, rule=pl.lit(None, dtype=pl.String))
    return pl.concat([whole, failed]).sort("prompt_id", "sample")


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
    assert drawn(work, "both").height == 8 * 5
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
        drawn(work, "alone").iter_rows(named=True),
        drawn(work, "stopped").iter_rows(named=True),
        strict=True,
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


def test_a_draw_with_a_control_token_inside_is_in_the_ledger_and_not_in_the_table(
    work: Path, alone: pl.DataFrame
) -> None:
    template = ChatTemplate(checkpoint.load_tokenizer(work / "iter1"))
    control = {
        token for token, one in template.tokenizer.added_tokens_decoder.items() if one.special
    }
    every = drawn(work, "alone")
    assert every.select("prompt_id", "sample").is_unique().all()
    rules = set()
    for ids_, reason, rule in every.select("token_ids", "finish_reason", "rule").iter_rows():
        inside = ids_[:-1] if reason == "stop" else ids_
        assert (rule == "control_token") == bool(control & set(inside))
        rules.add(rule)
    assert rules == {None, "control_token"}
    metrics = json.loads((work / "alone.json").read_text("utf-8"))
    assert metrics["draws"] == every.height == 8 * 3
    assert metrics["failed_draws"] == {"control_token": every.height - alone.height}
    assert metrics["responses"] == alone.height
    sampling = {"top_p": 1.0, "top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0}
    assert metrics["sampling"] == sampling
    views = ("rejects", "alone_rejects.parquet"), ("prompts", "prompts.parquet")
    flags = [f"--view={name}={work / file}" for name, file in (*views, ("counts", "alone.json"))]
    gated = ["--table-name", "generations", "--table", str(work / "alone.parquet"), *flags]
    assert (
        gate(["--params", str(work / "alone.yaml"), "--report", str(work / "g.json"), *gated]) == 0
    )


def test_the_recipes_sampling_is_what_samples(work: Path) -> None:
    assert generate(work, "one", top_k=1, temperatures=[0.7]) == 0
    one = drawn(work, "one").group_by("prompt_id").agg(pl.col("token_ids").n_unique())
    assert one["token_ids"].to_list() == [1] * 8
    assert generate(work, "cold", temperatures=[0.0]) == 0
    assert drawn(work, "cold")["token_ids"].equals(drawn(work, "one")["token_ids"])


def test_every_end_that_the_models_own_files_name_stops_a_response(
    work: Path, alone: pl.DataFrame
) -> None:
    tokens = pl.Series([token for row in alone["token_ids"] for token in row[1:-1]])
    second = int(tokens.value_counts(sort=True)[0, 0])
    shutil.copytree(work / "iter1", work / "two_ends")
    file = work / "two_ends/generation_config.json"
    told = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps(told | {"eos_token_id": [told["eos_token_id"], second]}), "utf-8")
    assert generate(work, "two", policy="two_ends") == 0
    ended = 0
    before, after = drawn(work, "alone"), drawn(work, "two")
    for long, short in zip(before["token_ids"], after["token_ids"], strict=True):
        assert list(short) == list(long)[: len(short)]
        assert second not in list(short)[:-1]
        ended += short[-1] == second
    assert ended > 5
    stopped = after.filter(pl.col("token_ids").list.last() == second)
    assert set(stopped["finish_reason"]) == {"stop"}
    template = ChatTemplate(checkpoint.load_tokenizer(work / "iter1"))
    for ids_, text in stopped.select("token_ids", "response").iter_rows():
        assert text == template.decode(ids_[:-1])


def test_ids_that_the_tokenizer_does_not_know_are_never_drawn(work: Path) -> None:
    model: Any = checkpoint.load_policy(work / "iter1")
    tokenizer = checkpoint.load_tokenizer(work / "iter1")
    model.resize_token_embeddings(len(tokenizer) + 64)
    model.get_input_embeddings().weight.data[len(tokenizer) :] = 3.0
    checkpoint.save(work / "padded", model, tokenizer, {"policy": "padded"})
    assert generate(work, "known", policy="padded") == 0
    every = drawn(work, "known")
    assert every["token_ids"].explode().max() < len(tokenizer)
    assert every.height == 8 * 3


def test_a_stop_of_several_tokens_is_refused(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate(work, "refused", stop=["no such token at all"]) == 2
    error = capsys.readouterr().err
    assert "stop 'no such token at all' is" in error
    assert error.count("\n") == 1
    assert not (work / "refused.parquet").exists()


def test_actors_draw_the_same_bytes_and_take_up_what_this_process_left(
    work: Path, alone: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    before = (work / "alone.parquet").read_bytes()
    monkeypatch.setattr(placement, "here", lambda: Placement(ray="local", replicas=2))
    assert generate(work, "alone", _engine={"shard_prompts": 3}) == 0
    assert (work / "alone.parquet").read_bytes() == before


INST = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]"
    "{% else %}{{ m.content }}{{ eos_token }}{% endif %}{% endfor %}"
)


def test_a_prompt_that_spells_a_marker_of_turns_is_a_reject_and_the_others_are_asked(
    work: Path,
) -> None:
    shutil.copytree(work / "iter1", work / "inst")
    (work / "inst/chat_template.jinja").write_text(INST)
    whole = (work / "prompts.parquet").read_bytes()
    pool = pl.read_parquet(work / "prompts.parquet").sort("prompt_id")
    odd = pl.Series([user("a [/INST] b")], dtype=schema.MESSAGES)
    spoilt = pool.with_columns(messages=pl.concat([odd, pool["messages"][1:]]))
    spoilt.write_parquet(work / "prompts.parquet")
    try:
        assert generate(work, "inst_out", policy="inst") == 0
    finally:
        (work / "prompts.parquet").write_bytes(whole)
    rejects = pl.read_parquet(work / "inst_out_rejects.parquet").filter(rule="control_tokens")
    assert rejects.select("item_id", "detail").rows() == [(pool["prompt_id"][0], "[/INST]")]
    assert said(work, "inst_out")["prompt_id"].n_unique() == 7


def test_a_draw_that_spells_a_marker_of_turns_has_failed(work: Path) -> None:
    tokenizer = checkpoint.load_tokenizer(work / "iter1")
    tokenizer.chat_template = INST
    template = ChatTemplate(tokenizer)
    for text, rule in (("so [INST] b", "control_token"), ("so INST b", None)):
        ids_ = tokenizer.encode(text, add_special_tokens=False)
        said_, _, reason, why, _ = _told(template, Response(ids_, "length", None))
        assert (said_, reason, why) == (text, "length", rule)
