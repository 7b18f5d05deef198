"""A tiny build written from literal rows: two sources, a mix, two prompts, one iteration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from curation.core import schema

EVIL = "<script>alert(1)</script> </script> [x](javascript:alert(2)) \x07 \u202eevil"

Row = dict[str, Any]


def user(text: str) -> list[Row]:
    return [{"role": "user", "content": text}]


def assistant(text: str) -> list[Row]:
    return [{"role": "assistant", "content": text}]


def preference(number: int, source: str, chosen: str, rejected: str) -> Row:
    return {
        "pair_id": f"pair{source}{number:018d}",
        "prompt_id": f"prompt{source}{number}",
        "source": source,
        "source_row": f"row{source}{number}",
        "prompt": user(f"question {number}"),
        "chosen": assistant(chosen),
        "rejected": assistant(rejected),
        "chosen_score": 3.0,
        "rejected_score": 1.0,
        "margin": 2.0,
        "prompt_chars": 10,
        "chosen_chars": len(chosen),
        "rejected_chars": len(rejected),
        "prompt_tokens": 4,
        "chosen_tokens": 5,
        "rejected_tokens": 3,
        "turns": 1,
        "annotator": "human",
        "license": "MIT",
    }


def reject(stage: str, item: str, source: str, rule: str) -> Row:
    payload = json.dumps({"chosen": "dropped text"})
    return {
        "stage": stage,
        "item_id": item,
        "source": source,
        "rule": rule,
        "detail": "what it saw",
        "payload": payload,
    }


def prompt(number: int, split: str) -> Row:
    return {
        "prompt_id": f"pool{number:020d}",
        "source": "dibt",
        "source_row": f"poolrow{number}",
        "messages": user(f"pool question {number}"),
        "n_chars": 15,
        "n_tokens": 4,
        "license": "MIT",
        "bucket": number / 10,
        "split": split,
        "map_x": float(number),
        "map_y": float(-number),
        "cluster": number % 2,
    }


def generation(number: int, sample: int, text: str, policy: str = "sft") -> Row:
    return {
        "generation_id": f"gen{policy}{number:015d}{sample}",
        "prompt_id": f"pool{number:020d}",
        "sample": sample,
        "response": text,
        "token_ids": [1, 2],
        "n_tokens": 2,
        "n_chars": len(text),
        "finish_reason": "stop",
        "seed": 2**63 + sample,
        "temperature": 1.0,
        "policy": policy,
        "policy_sha": f"sha-of-{policy}",
        "engine": "transformers",
        "engine_version": "5",
    }


def score(row: Row, reward: float | None, judge: str = "reward_model/mix1") -> Row:
    return {
        "generation_id": row["generation_id"],
        "judge": judge,
        "reward": reward,
        "reason": None if reward is not None else "not finite",
        "judge_sha": "sha-of-judge",
        "template_sha": "sha-of-template",
        "dtype": "float32",
    }


def pair(best: Row, worst: Row, number: int) -> Row:
    return {
        "pair_id": f"sampled{number:017d}",
        "prompt_id": best["prompt_id"],
        "iteration": "iter1",
        "chosen_id": best["generation_id"],
        "rejected_id": worst["generation_id"],
        "prompt": user(f"pool question {number}"),
        "chosen": assistant(best["response"]),
        "rejected": assistant(worst["response"]),
        "chosen_reward": 2.0,
        "rejected_reward": 0.5,
        "chosen_adjusted": 2.0,
        "rejected_adjusted": 0.5,
        "margin": 1.5,
        "chosen_chars": best["n_chars"],
        "rejected_chars": worst["n_chars"],
        "chosen_tokens": 2,
        "rejected_tokens": 2,
        "strategy": "best_worst",
        "flags": ["length_gap"],
    }


def write(path: Path, table: schema.Table, rows: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(rows, schema=table.polars).sort(table.key).write_parquet(path)


def note(path: Path, value: Row) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), "utf-8")


def verdict(table: str, violations: int) -> Row:
    check = {"name": "no_tie", "sentence": "No margin is 0.", "violations": violations}
    examples = [{"pair_id": "<b>x</b>"}] if violations else []
    report = {"table": table, "rows": 2, "passed": not violations}
    return {**report, "checks": [{**check, "examples": examples}]}


def gate(path: Path, table: str, violations: int) -> None:
    note(path, verdict(table, violations))


def write_build(data: Path) -> Path:
    """Write the whole tiny build under `data`; returns it."""
    _sources(data)
    _iteration(data)
    _evaluation(data)
    return data


def _sources(data: Path) -> None:
    verdicts = {source: verdict("source_preference", 0) for source in ("hh_rlhf", "shp")}
    note(data / "gates" / "source_preference.json", {"passed": True, "tables": verdicts})
    for source in verdicts:
        folder = data / "sources" / "preference" / source
        rows = [
            preference(1, source, "a long good answer", "bad"),
            preference(2, source, EVIL, "b"),
        ]
        write(folder / "table.parquet", schema.PREFERENCES, rows)
        dropped = reject(f"standardize@{source}", f"{source}:gone{source}:0", source, "tie")
        write(folder / "rejects.parquet", schema.REJECTS, [dropped])
        files = [{"path": "x.jsonl", "sha256": "ab", "bytes": 9}]
        manifest = {"uri": "x.jsonl", "revision": None, "commit": None, "files": files}
        note(folder / "fetch.json", {**manifest, "source": source, "rows": 4, "kept": 3})
    kept = [{**preference(1, "hh_rlhf", "a long good answer", "bad"), "split": "train"}]
    write(data / "mixes" / "mix1" / "mix.parquet", schema.MIXES, kept)
    pair = preference(2, "hh_rlhf", EVIL, "b")["pair_id"]
    gone = reject("mix@mix1", f"hh_rlhf:{pair}", "hh_rlhf", "duplicate")
    write(data / "mixes" / "mix1" / "rejects.parquet", schema.REJECTS, [gone])
    gate(data / "mixes" / "mix1" / "checks.json", "mixes", 2)
    promise = {"name": "one BOS at most", "sentence": "1 at the start", "violations": 0}
    kept_all = {"table": "contract", "rows": 1, "passed": True}
    note(
        data / "contract" / "base.json", {**kept_all, "checks": [promise | {"examples": ["holds"]}]}
    )
    one = {"expectation": "expect_rows", "why": "There are rows.", "arguments": {"column": "n"}}
    suite = {"rows": 2, "expectations": [one | {"violations": 0, "passed": True}]}
    note(data / "expectations" / "sources.json", {"frames": {"sources": suite}, "passed": True})


def _iteration(data: Path) -> None:
    prompts = [prompt(1, "train"), prompt(2, "train"), prompt(8, "eval"), prompt(9, "eval")]
    write(data / "prompts" / "prompts.parquet", schema.PROMPTS, prompts)
    texts = ((1, "right answer"), (1, EVIL), (2, "same"), (2, "same"))
    made = [generation(number, at % 2, text) for at, (number, text) in enumerate(texts)]
    folder = data / "iterations" / "iter1"
    write(folder / "generations.parquet", schema.GENERATIONS, made)
    rewards = (2.0, 0.5, 1.0, None)
    scores = [score(row, reward) for row, reward in zip(made, rewards, strict=True)]
    write(folder / "scores.parquet", schema.SCORES, scores)
    chosen = pair(made[0], made[1], 1)
    write(folder / "pairs.parquet", schema.PAIRS, [chosen])
    tied = reject("pair@iter1", made[2]["prompt_id"], "dibt", "tie")
    write(folder / "pair_rejects.parquet", schema.REJECTS, [tied])
    note(folder / "pair.json", {"pairs": 1, "tie_rate": 0.5})
    names = ("pair_id", "prompt_id", "prompt", "chosen", "rejected", "margin")
    history = {name: chosen[name] for name in names} | {"origin": "iter1", "weight": 1.0}
    write(folder / "history.parquet", schema.HISTORY, [history])
    reference = {"pair_id": chosen["pair_id"], "reference_sha": "sha-of-sft", "template_sha": "t"}
    logps = {"ref_chosen_logps": -3.0, "ref_rejected_logps": -4.0}
    logps |= {"ref_chosen_shared_logps": -3.0, "ref_rejected_shared_logps": -2.0}
    write(folder / "reference.parquet", schema.REFERENCE, [reference | logps])
    note(
        data / "checkpoints" / "sft" / "prefloop.json",
        {"weights_sha": "sha-of-sft", "kind": "policy"},
    )
    note(data / "checkpoints" / "sft" / "config.json", {"hidden_size": 8})
    write(data / "length_bias" / "mix1" / "scores.parquet", schema.SCORES, scores)


def _evaluation(data: Path) -> None:
    """Two held-out prompts: iter1 wins the first and ties the second."""
    for policy, rewards in (("sft", (0.0, 1.0)), ("iter1", (1.0, 1.0))):
        made = [generation(8, 0, "held", policy), generation(9, 0, "out", policy)]
        folder = data / "evaluation" / policy
        write(folder / "generations.parquet", schema.GENERATIONS, made)
        judged = [score(row, r, "oracle") for row, r in zip(made, rewards, strict=True)]
        model = [score(row, 0.25, "reward_model/mix2") for row in made]
        write(folder / "scores.parquet", schema.SCORES, [*judged, *model])
        note(folder / "metrics.json", {"kl": {"mean": 0.5, "se": 0.1, "n": 2}})
