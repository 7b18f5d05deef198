"""Files of five benchmarks, judged by a tiny reward model or scored as they were published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curation.core.errors import UserError
from pipelines.commands import rewardbench
from pipelines.shared import reward_files
from tests.pipelines.commands.test_judge_eval import held_out_mix


def said(*texts: str) -> list[dict[str, str]]:
    return [{"role": ("user", "assistant")[i % 2], "content": t} for i, t in enumerate(texts)]


JUDGED = {
    "pair_id": "p", "source": "mmlu-pro-law", "question": "q", "response_A": "woof",
    "response_B": "moo", "label": "A>B",
}  # fmt: skip
STYLED = {
    "id": 1, "prompt": "q", "domain": "chat",
    "chosen": ["woof", "woof woof", "**woof**"], "rejected": ["moo", "moo moo", "**moo**"],
}  # fmt: skip
BEST = {
    "id": "1", "prompt": "q", "chosen": ["woof"], "rejected": ["moo", "moo moo", "boo"],
    "num_correct": 1, "subset": "Focus",
}  # fmt: skip
TIED = {**BEST, "id": "tied:1", "chosen": ["woof", "woof!"], "num_correct": 2, "subset": "Ties"}
REF = {**BEST, "id": "ref:1", "subset": "Ties"}
PEOPLE = {"prompt": "q", "response_1": "moo", "response_2": "woof", "winner": "model_b"}
CHECKED = {
    "prompt": "q", "response_1": "moo", "response_2": "woof", "scores": [False, True],
    "sampled_conflict_pairs": [[0, 1]],
}  # fmt: skip


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.mark.parametrize("side", [str, lambda text: [text], lambda text: said("q", text)])
def test_a_side_is_a_text_or_a_conversations_last_turn(side: Any) -> None:
    row = {"prompt": "q", "chosen": side("good"), "rejected": side("bad"), "subset": "donotanswer"}
    bench = reward_files.bench_of(Path("f"), [row])
    (item,) = reward_files.items(Path("f"), [row], bench)
    assert (bench, item.prompt, item.responses) == ("rewardbench", said("q"), ("good", "bad"))


@pytest.fixture
def asked(tmp_path: Path, root: Path, reward_model: Path) -> list[str]:
    """Flags that name the judge, the recipe and where what it says goes."""
    params = ["--params", str(root / "recipes/sample.yaml")]
    return ["--judge", str(reward_model), "--out", str(tmp_path / "out.json"), *params]


@pytest.mark.parametrize(
    ("rows", "bench", "score"),
    [
        ([JUDGED], "judgebench", 1.0),
        ([STYLED], "rm-bench", None),
        ([BEST, TIED, REF], "rewardbench2", None),
        ([PEOPLE], "ppe-preference", 1.0),
        ([CHECKED], "ppe-correctness", 1.0),
    ],
)
def test_a_reward_model_is_scored_and_its_output_scores_the_same(
    rows: list[dict[str, Any]], bench: str, score: float | None, tmp_path: Path, asked: list[str]
) -> None:
    pairs, metrics = written(tmp_path / "b.jsonl", rows), tmp_path / "m.json"
    assert rewardbench.main(["--pairs", str(pairs), *asked, "--metrics", str(metrics)]) == 0
    found = json.loads(metrics.read_text("utf-8"))
    assert (found["bench"], found["score"], found["nulls"]) == (bench, score, 0)
    first = next(iter(found["parts"].values()), {"accuracy": 1.0})
    assert first["accuracy"] > 0.8
    if bench.startswith("ppe"):
        return
    again, out = tmp_path / "again.json", str(tmp_path / "out.json")
    assert rewardbench.main(["--pairs", out, "--metrics", str(again)]) == 0
    assert json.loads(again.read_text("utf-8"))["parts"] == found["parts"]


def test_rows_of_the_training_mix_are_counted_and_taken_out(
    tmp_path: Path, asked: list[str]
) -> None:
    seen = {"prompt": "is it a dog?", "chosen": "moo", "rejected": "woof", "subset": "donotanswer"}
    new = {**seen, "prompt": "is it a cow?", "chosen": "woof", "rejected": "moo"}
    pairs, metrics = written(tmp_path / "b.jsonl", [seen, new]), tmp_path / "m.json"
    mix = tmp_path / "mix.parquet"
    rows = held_out_mix().head(2)
    asked_of_dogs = pl.Series("prompt", [said("Is it a dog")] * 2, dtype=rows["prompt"].dtype)
    rows.with_columns(asked_of_dogs, split=pl.lit("train")).write_parquet(mix)
    flags = ["--pairs", str(pairs), *asked, "--mix", str(mix), "--metrics", str(metrics)]
    assert rewardbench.main(flags) == 0
    found = json.loads(metrics.read_text("utf-8"))
    assert (found["overlap"]["prompts"], found["overlap"]["answers"]) == (1, 0)
    assert found["sections"]["Safety"] == 0.5
    assert found["without_overlap"]["sections"]["Safety"] == 1.0


def test_published_judgments_are_scored_without_a_model(tmp_path: Path, capsys: Any) -> None:
    rows = [
        {**JUDGED, "judgments": [{"decision": "A>B"}, {"decision": "B>A"}]},
        {**JUDGED, "judgments": [{"decision": "A>B"}, None]},
        {**JUDGED, "judgments": [{"decision": "A>B"}, {"decision": "A>B"}]},
    ]
    pairs, metrics = written(tmp_path / "p.jsonl", rows), tmp_path / "m.json"
    assert rewardbench.main(["--pairs", str(pairs), "--metrics", str(metrics)]) == 0
    found = json.loads(metrics.read_text("utf-8"))
    assert found["score"] == pytest.approx(2 / 3)
    assert (found["nulls"], found["first_order"], found["macro"]) == (1, 1.0, None)
    assert "judgebench score 66.67 (micro: over pairs)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prompt": "q", "chosen": "a", "rejected": "b"}, "row 1 lacks subset"),
        ({**BEST, "num_correct": 2}, "num_correct is 2, but 1 answers are chosen"),
        ({**TIED, "id": "7"}, "id 7: in Ties it is ref:N or tied:N"),
        ({**JUDGED, "label": "A"}, "label 'A' is neither A>B nor B>A"),
        ({**PEOPLE, "winner": "a"}, "winner 'a' is none of model_a"),
        ({**CHECKED, "sampled_conflict_pairs": [[0, 0]]}, "is not one right, one wrong"),
        ({**BEST, "prompt": 3}, "prompt is neither a text nor a list of messages"),
        ({"text": "x"}, "not a file of RewardBench, RewardBench 2, RM-Bench"),
    ],
)
def test_what_is_wrong_is_one_line(row: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        reward_files.items(Path("f"), [row], reward_files.bench_of(Path("f"), [row]))


def test_a_file_without_verdicts_needs_a_judge(tmp_path: Path, capsys: Any) -> None:
    pairs = written(tmp_path / "b.jsonl", [BEST])
    assert rewardbench.main(["--pairs", str(pairs), "--metrics", str(tmp_path / "m")]) == 2
    assert "rewardbench2 without a judge's verdicts; name one with --judge" in (
        capsys.readouterr().err
    )


def test_upstreams_outputs_of_columns_are_read(tmp_path: Path) -> None:
    columns = {
        "id": ["1", "2"], "subset": ["Focus", "Focus"], "num_correct": [1, 1],
        "scores": [[[2.0], [1.0], [0.0], [0.0]], [[1.0], [2.0], [0.0], [0.0]]], "model": "them",
    }  # fmt: skip
    (tmp_path / "scores.json").write_text(json.dumps(columns, indent=4), "utf-8")
    metrics = tmp_path / "m.json"
    flags = ["--pairs", str(tmp_path / "scores.json"), "--metrics", str(metrics)]
    assert rewardbench.main(flags) == 0
    found = json.loads(metrics.read_text("utf-8"))
    assert (found["judge"], found["parts"]["Focus"]["accuracy"]) == ("them", 0.5)
