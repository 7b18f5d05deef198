"""Where every arm begins, and what each is evaluated by."""

from __future__ import annotations

from pathlib import Path

from benchmarks.claims_bench.steps import DATA, JUDGES, PROMPTS, SFT, START, call

SELF = DATA / "evaluation/sft"  # pi0's own evaluation
ORACLE = Path("data/sample/world.py")


def start() -> None:
    """The empty history that every arm begins with, and pi0's own evaluation."""
    history, reference = START / "history.parquet", START / "reference.parquet"
    call(
        "pipelines.stages.history_offline",
        mixes=DATA / "mixes",
        table=history,
        metrics=START / "history.json",
    )
    call("pipelines.stages.reference_offline", sft=SFT, history=history, table=reference)
    evaluate(SELF, SFT, "plain", Path("params.yaml"))


def evaluate(arm: Path, policy: Path, judge: str, params: Path) -> None:
    """Held-out prompts: oracle, length, KL, and win rate against pi0 by the oracle."""
    folder = arm / "evaluation"
    held_out = "mix2" if judge in {"plain", "panel", "multi"} else "plain"
    call(
        "pipelines.stages.evaluate",
        policy_name=arm.name,
        policy=policy,
        sft=SFT,
        reward_model=JUDGES / held_out,  # never the one that made the pairs
        prompts=PROMPTS,
        oracle=ORACLE,
        generations=folder / "generations.parquet",
        rejects=folder / "rejects.parquet",
        scores=folder / "scores.parquet",
        parts=folder / "parts.parquet",
        metrics=folder / "metrics.json",
        params=params,
    )
    call(
        "pipelines.commands.win_rate",
        generations=folder / "generations.parquet",
        baseline=SELF / "evaluation/generations.parquet",
        prompts=PROMPTS,
        oracle=ORACLE,
        metrics=folder / "win_rate.json",
        params=params,
    )
