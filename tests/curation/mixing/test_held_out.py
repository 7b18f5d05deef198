"""Nothing leaks: what asks a held-out prompt of the pool is in no training table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curation.core import messages
from curation.core.schema import BENCHMARK, MESSAGES, PROMPTS
from curation.mixing.held_out import Unseen, held, hits
from curation.mixing.mix import Decisions, Sorting, decide
from curation.mixing.prompt_pool import Pool, kept, rejects
from curation.mixing.prompt_pool import decide as pooled
from curation.pairing.history import baseline
from pipelines.stages import pairs_offline
from tests.curation.mixing.test_mix import mixed, table
from tests.curation.mixing.test_prompt_pool import prompt_set

Turns = list[dict[str, str]]


def talk(*texts: str) -> Turns:
    """User, assistant, user, ... in turns."""
    roles = ("user", "assistant")
    return [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)]


def frame(**prompts: Turns) -> pl.DataFrame:
    types = {"prompt_id": pl.String, "prompt": MESSAGES}
    return pl.DataFrame({"prompt_id": list(prompts), "prompt": list(prompts.values())}, types)


def pool(*texts: str, split: str = "eval") -> pl.DataFrame:
    made = prompt_set("pool", *texts).collect()
    absent = {"map_x": 0.0, "map_y": 0.0, "bucket": 0.9, "split": split}
    more = [pl.lit(value).alias(name) for name, value in absent.items()]
    return made.with_columns(*more, pl.lit(0, dtype=pl.Int64).alias("cluster")).select(
        PROMPTS.names
    )


@pytest.mark.parametrize(
    ("turns", "leaks"),
    [
        (talk("What is a LAKE ?!"), True),
        (talk("What is a lake?", "Water.", "And a sea?"), True),  # it opens with the question
        (talk("Hello", "Hello.", "What is a lake?"), False),  # asked later, in another context
        (talk("What is a lake made of?"), False),
        (talk("Who?"), False),  # held out only after another turn
        (talk("Who?", "Someone else.", "why"), True),
        ([{"role": "system", "content": "Be brief."}, *talk("what is a lake")], True),
        (talk("???"), True),  # marks alone stay as they are
        (talk("?"), False),
        (talk("What is a river?"), False),  # of the training split
    ],
)
def test_a_conversation_leaks_when_it_opens_with_the_turns_of_a_held_out_prompt(
    turns: Turns, leaks: bool
) -> None:
    known = pl.concat([pool("What is a lake?", "???"), pool("What is a river?", split="train")])
    two = pool("x").with_columns(
        pl.Series("messages", [talk("Who?", "Me.", "Why?")], dtype=MESSAGES),
        pl.lit("two").alias("prompt_id"),
    )
    found = hits([frame(p=turns, other=talk("Fine"))], held(pl.concat([known, two])))
    assert found["prompt_id"].to_list() == (["p"] if leaks else [])
    assert found["detail"].str.contains("asks held-out prompt .* of the pool").all()


@pytest.mark.parametrize("rules", [{}, {"dedup": "none", "conflicts": "keep"}])
def test_a_mix_drops_them_into_the_ledger_whole(tmp_path: Path, rules: dict[str, Any]) -> None:
    sets = {"a": [("What is a lake", "x", "y"), ("fine", "x", "y")], "b": [("WHO?", "x", "y")]}
    mix, tables = mixed(sets, **rules)
    unseen = Unseen(BENCHMARK.empty(), held(pool("What is a lake?", "Who?")))
    work = Sorting(Decisions(tables, unseen, mix), mix, "mix@m", tmp_path)
    stay, gone = pl.concat(work.kept(tables)), pl.concat(work.rejects())
    assert stay["prompt"].list.first().struct.field("content").to_list() == ["fine"]
    assert gone["rule"].to_list() == ["held_out"] * 2
    assert set(gone["source"]) == {"a", "b"}
    assert gone["payload"].str.json_path_match("$.chosen[0].content").to_list() == ["x", "x"]
    nobody = Unseen(BENCHMARK.empty(), held(PROMPTS.empty()))
    assert decide(tables, nobody, mix)["rule"].null_count() == 3


def test_the_pool_trains_on_no_twin_of_a_held_out_prompt() -> None:
    texts = [text for n in range(60) for text in (f"Question {n}?", f"question {n}")]
    limits = Pool(max_tokens=100, min_chars=1, eval_range=(0.5, 1.0), clusters=1, split_seed=1)
    decided = pooled({"one": prompt_set("one", *texts)}, BENCHMARK.empty(), limits)
    stay, gone = kept(decided, limits), rejects(decided)
    assert stay.height + gone.height == len(texts)
    assert set(gone["rule"]) == {"held_out"}
    words = messages.text(pl.col("messages")).str.to_lowercase().str.strip_chars(" ?")
    splits = stay.group_by(words.alias("words")).agg(pl.col("split").n_unique())
    assert splits["split"].max() == 1
    assert set(stay["split"]) == {"train", "eval"}


def test_the_offline_baseline_leaves_them_out_before_it_counts() -> None:
    rows = table("nectar", [(f"Q{n}?", "x", "y") for n in range(20)]).collect()
    leak = hits([rows.select("prompt_id", "prompt")], held(pool("q3", "Q5?!", "Q30?")))
    grown = baseline(rows, leak, cap=10, seed=1)
    rules = grown.rejects["rule"].value_counts().sort("rule").rows()
    assert rules == [("held_out", 2), ("history_cap", 8)]
    assert set(grown.history["prompt_id"]).isdisjoint(leak["prompt_id"])
    assert grown.history.height == 10
    whole = baseline(rows, leak, cap=None, seed=1)
    assert whole.history.height == 18
    assert set(grown.history["pair_id"]) <= set(whole.history["pair_id"])


def test_its_stage_refuses_a_set_that_is_all_held_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table("nectar", [("Who?", "x", "y")]).collect().write_parquet(tmp_path / "set.parquet")
    pool("who").write_parquet(tmp_path / "pool.parquet")
    out = [tmp_path / name for name in ("t.parquet", "r.parquet", "m.json")]
    flags = ("--table", "--rejects", "--metrics")
    args = [
        "--preferences",
        str(tmp_path / "set.parquet"),
        "--prompts",
        str(tmp_path / "pool.parquet"),
    ]
    for flag, path in zip(flags, out, strict=True):
        args += [flag, str(path)]
    assert pairs_offline.main(args) == 2
    assert "no pair to train the offline baseline on" in capsys.readouterr().err
    assert not any(path.exists() for path in out)
    pool("why").write_parquet(tmp_path / "pool.parquet")
    assert pairs_offline.main(args) == 0
    assert pl.read_parquet(out[0])["origin"].to_list() == ["offline"]
