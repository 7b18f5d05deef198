"""One sound row per table, and the rows that break each check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from curation.core.schema import (
    BENCHMARK,
    GENERATIONS,
    HISTORY,
    PAIRS,
    PROMPTS,
    REJECTS,
    SCORES,
    Table,
)
from curation.gates import locked_duckdb, sql_checks
from curation.gates.sql_checks import TABLES, checks_of

BOUNDS = {
    "max_drop_rate": 0.5,
    "max_tie_rate": 0.5,
    "max_cut_share": 0.5,
    "max_null_scores": 0.1,
    "max_conflict_rate": 0.0,
    "min_distinct_share": 0.05,
}
ALL_VIEWS = ["rejects", "prompts", "generations", "scores", "pairs", "history", "benchmarks",
             "metrics",
    "counts", "bounds", "native"]  # fmt: skip


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def says(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


PREFERENCE = {
    "pair_id": "a", "prompt_id": "p", "source": "toy", "source_row": "1", "prompt": user("Why?"),
    "chosen": says("so"), "rejected": says("no!"), "chosen_score": 2.0, "rejected_score": 1.0,
    "margin": 1.0, "prompt_chars": 4, "chosen_chars": 2, "rejected_chars": 3,
    "prompt_tokens": None, "chosen_tokens": None, "rejected_tokens": None, "turns": 1,
    "annotator": "human", "license": "mit", "split": "train",
    "chosen_model": None, "rejected_model": None,
}  # fmt: skip
CONVERSATION = {
    "example_id": "e", "prompt_id": "p", "source": "toy", "source_row": "1",
    "messages": user("Why?") + says("so"), "n_chars": 6, "n_tokens": 2, "turns": 2,
    "license": "mit", "split": "train",
}  # fmt: skip
PROMPT = {
    "prompt_id": "p", "source": "toy", "source_row": "1", "messages": user("Why?"), "n_chars": 4,
    "n_tokens": 2, "license": "mit", "bucket": 0.1, "split": "train", "map_x": 0.0, "map_y": 0.0,
    "cluster": 0,
}  # fmt: skip
HELD_OUT = {**PROMPT, "prompt_id": "h", "messages": user("How?"), "bucket": 0.9, "split": "eval"}
GENERATION = {
    "generation_id": "g0", "prompt_id": "p", "sample": 0, "response": "so", "token_ids": [1, 2],
    "n_tokens": 2, "n_chars": 2, "finish_reason": "stop", "seed": 1, "temperature": 1.0,
    "policy": "sft", "policy_sha": "s", "engine": "transformers", "engine_version": "1",
    "template_sha": "t",
}  # fmt: skip
OTHER = {**GENERATION, "generation_id": "g1", "sample": 1, "response": "no!", "n_chars": 3}
SCORE = {
    "generation_id": "g0", "judge": "rm", "reward": 1.0, "reason": None, "judge_sha": "j",
    "template_sha": "t", "dtype": "float32",
}  # fmt: skip
WORSE = {**SCORE, "generation_id": "g1", "reward": 0.5}
PAIR = {
    "pair_id": "a", "prompt_id": "p", "iteration": "iter1", "chosen_id": "g0",
    "rejected_id": "g1", "prompt": user("Why?"), "chosen": says("so"), "rejected": says("no!"),
    "chosen_reward": 1.0, "rejected_reward": 0.5, "chosen_adjusted": 1.0,
    "rejected_adjusted": 0.5, "margin": 0.5, "chosen_chars": 2, "rejected_chars": 3,
    "chosen_tokens": 2, "rejected_tokens": 2, "strategy": "best_worst", "flags": [],
    "chosen_token_ids": [1, 2], "rejected_token_ids": [1, 2], "template_sha": "t",
    "chosen_cut": False, "rejected_cut": False,
}  # fmt: skip
PAST = {**{name: PAIR[name] for name in HISTORY.names if name in PAIR}, "origin": "iter1",
        "chosen_model": None, "rejected_model": None,
        "weight": 1.0}  # fmt: skip
LOGPS = {
    "pair_id": "a", "reference_sha": "r", "template_sha": "t", "ref_chosen_logps": -3.0,
    "ref_rejected_logps": -4.0, "ref_chosen_shared_logps": -3.0,
    "ref_rejected_shared_logps": -2.5,
}  # fmt: skip
DROPPED = {
    "stage": "s", "item_id": "i", "source": "toy", "rule": "tie", "detail": "", "payload": "{}",
}  # fmt: skip
ITEM = {"item_id": "b", "benchmark": "quiz", "source_row": "1", "text": "What is it?"}

Views = dict[str, tuple[Table, list[dict[str, Any]]]]
BENCHMARKS: Views = {"benchmarks": (BENCHMARK, [ITEM])}
REJECTED: Views = {"rejects": (REJECTS, [DROPPED])}
POOL: Views = {"prompts": (PROMPTS, [PROMPT, HELD_OUT])}
SAMPLED: Views = {"generations": (GENERATIONS, [GENERATION, OTHER])}
JUDGED: Views = {"scores": (SCORES, [SCORE, WORSE])}
SOUND: dict[str, tuple[list[dict[str, Any]], Views]] = {
    "source_preference": ([PREFERENCE], REJECTED),
    "source_sft": ([CONVERSATION], REJECTED),
    "source_prompts": ([PROMPT], REJECTED),
    "source_benchmark": ([ITEM], REJECTED),
    "mixes": ([PREFERENCE], REJECTED | BENCHMARKS | POOL),
    "sft_mix": ([CONVERSATION], REJECTED | BENCHMARKS | POOL),
    "prompts": ([PROMPT, HELD_OUT], REJECTED | BENCHMARKS),
    "generations": ([GENERATION, OTHER], POOL | REJECTED),
    "scores": ([SCORE, WORSE], SAMPLED),
    "pairs": ([PAIR], {**POOL, **SAMPLED, **REJECTED}),
    "history": ([PAST], {**POOL, **REJECTED, "pairs": (PAIRS, [PAIR])}),
    "offline": ([{**PAST, "origin": "offline"}], {**POOL, **REJECTED}),
    "reference": ([LOGPS], {"history": (HISTORY, [PAST])}),
    "evaluation": (
        [{**GENERATION, "prompt_id": "h"}, {**OTHER, "prompt_id": "h"}],
        {**POOL, **JUDGED, **REJECTED},
    ),
}
DRAWN = ("generations", "evaluation")
PAIR_COUNTS = {"pairs": 1.0, "rejects": 1.0, "tie_rate": 0.1}


def report(
    tmp_path: Path, name: str, rows: list[dict[str, Any]], views: Views, **metrics: float
) -> dict[str, Any]:
    tables = {"this": (TABLES[name], rows), **views}
    files = {}
    for view, (table, content) in tables.items():
        path = tmp_path / f"{view}.parquet"
        kept = [{key: row[key] for key in table.names} for row in content]
        pl.DataFrame(kept, schema=table.polars).write_parquet(path)
        files[view] = [str(path)]
    numbers: dict[str, dict[str, float]] = {"bounds": {}}
    if name == "pairs" or (metrics and name not in DRAWN):
        numbers["metrics"] = {**(PAIR_COUNTS if name == "pairs" else {}), **metrics}
    if name in DRAWN:
        numbers["counts"] = {"rows_in": 2.0, **metrics}
    connection = locked_duckdb.connect(files, numbers, BOUNDS)
    return sql_checks.run(checks_of(name, [*files, *numbers]), connection, name)


def failed(report: dict[str, Any]) -> set[str]:
    return {check["name"] for check in report["checks"] if check["violations"]}
