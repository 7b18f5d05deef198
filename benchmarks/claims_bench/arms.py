"""Arms: one policy each, trained on pairs of a given judge and pairing, then evaluated."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from benchmarks.claims_bench import models, steps
from benchmarks.claims_bench.evaluating import evaluate
from benchmarks.claims_bench.steps import DATA, POOL, PROMPTS, SFT, START, call
from curation.core import schema
from data.sample import world
from pipelines.core import io

ARMS = DATA / "arms"


@dataclass(frozen=True)
class Arm:
    """How one policy is made.

    Attributes:
        group: the stage that trains it.
        judge: whose scores make the pairs.
        iteration: whose slice of prompts the pairs come from.
        after: the arm it goes on from, as GROUP/NAME; None starts at pi0 with the shared responses.
        changes: keys of params.yaml that differ.
    """

    group: str
    name: str
    judge: str
    iteration: str = "iter1"
    after: str | None = None
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where its tables and its policy are."""
        return ARMS / self.group / self.name

    @property
    def source(self) -> Path:
        """Where its responses and their scores are."""
        return self.folder if self.after else POOL


def build(group: str) -> None:
    """Train and evaluate every arm of a group; write data/GROUP.json."""
    given = steps.settings()
    wanted = [Arm(group, name, **told) for name, told in given["arms"][group].items()]
    told = {}
    for arm in wanted:
        print(f"claims: arm {arm.name}", flush=True)
        told[arm.name] = train(arm, given)
    if group == "loop":
        told |= extra(given)
    steps.save(DATA / f"{group}.json", told)


def train(arm: Arm, given: dict[str, Any]) -> dict[str, Any]:
    """Sample (or take the shared responses), score, pair, grow the history, train, evaluate."""
    cap = {} if arm.after else {"history": {"cap": given["pairs"]}}
    params = steps.recipe_with(steps.merged(cap, arm.changes), arm.folder / "params.yaml")
    before = ARMS / arm.after if arm.after else START
    policy = before / "checkpoint" if arm.after else SFT
    if arm.after:
        models.samples(arm.folder, arm.iteration, policy, params)
        models.score(arm.judge, arm.folder, arm.iteration)
    _pair(arm, params)
    _history(arm, before, params)
    _reference(arm, before, policy, params)
    _dpo(arm.folder, arm.iteration, policy, arm.folder, params)
    evaluate(arm.folder, arm.folder / "checkpoint", arm.judge, params)
    return figures(arm.folder)


def _pair(arm: Arm, params: Path) -> None:
    call(
        "pipelines.stages.pair",
        iteration=arm.iteration,
        generations=arm.source / "generations.parquet",
        scores=arm.source / f"scores_{arm.judge}.parquet",
        prompts=PROMPTS,
        table=arm.folder / "pairs.parquet",
        rejects=arm.folder / "pair_rejects.parquet",
        metrics=arm.folder / "pair.json",
        params=params,
    )


def _history(arm: Arm, before: Path, params: Path) -> None:
    call(
        "pipelines.stages.history",
        iteration=arm.iteration,
        previous=before / "history.parquet",
        pairs=arm.folder / "pairs.parquet",
        table=arm.folder / "history.parquet",
        rejects=arm.folder / "history_rejects.parquet",
        metrics=arm.folder / "history.json",
        params=params,
    )


def _reference(arm: Arm, before: Path, policy: Path, params: Path) -> None:
    call(
        "pipelines.stages.reference",
        iteration=arm.iteration,
        sft=SFT,
        policy=policy,
        history=arm.folder / "history.parquet",
        previous=before / "reference.parquet",
        table=arm.folder / "reference.parquet",
        metrics=arm.folder / "reference.json",
        params=params,
    )


def _dpo(folder: Path, iteration: str, policy: Path, pairs: Path, params: Path) -> None:
    call(
        "pipelines.stages.dpo",
        iteration=iteration,
        policy=policy,
        sft=SFT,
        history=pairs / "history.parquet",
        reference=pairs / "reference.parquet",
        checkpoint=folder / "checkpoint",
        metrics=folder / "dpo.json",
        params=params,
    )


def figures(folder: Path) -> dict[str, Any]:
    """The figures of one policy that the claims are told by."""
    told = steps.figures(folder / "evaluation/metrics.json")
    duel = steps.figures(folder / "evaluation/win_rate.json")["judges"]["oracle"]
    found = {key: told[key]["mean"] for key in ("oracle", "chars", "kl")}
    found |= {key: duel[key] for key in ("win_rate", "length_controlled")}
    if (folder / "dpo.json").is_file():
        trained = steps.figures(folder / "dpo.json")
        found |= {key: trained[key] for key in ("pairs", "steps")}
    if (folder / "history.parquet").is_file():
        found |= _labels(io.read(folder / "history.parquet", schema.HISTORY))
    if (folder / "pair.json").is_file():
        found["length_penalty"] = steps.figures(folder / "pair.json")["length_penalty"]
    return found


def _labels(history: pl.DataFrame) -> dict[str, Any]:
    """What the oracle says of the pairs that a policy was trained on."""
    prompt, chosen, rejected = (
        history[name].list.last().struct.field("content").to_list()
        for name in ("prompt", "chosen", "rejected")
    )
    gaps = [
        world.reward(asked, better) - world.reward(asked, worse)
        for asked, better, worse in zip(prompt, chosen, rejected, strict=True)
    ]
    longer = sum(len(better) - len(worse) for better, worse in zip(chosen, rejected, strict=True))
    return {
        "label_right": sum(gap > 0 for gap in gaps) / len(gaps),
        "label_gap": sum(gaps) / len(gaps),
        "chosen_longer_by": longer / len(gaps),
    }


def extra(given: dict[str, Any]) -> dict[str, Any]:
    """The offline baseline and the restart from pi0: pairs and steps follow the online arms'."""
    online = [steps.figures(ARMS / name / "dpo.json") for name in given["online"]]
    taken, pairs = sum(told["steps"] for told in online), online[-1]["pairs"]
    folder = ARMS / "loop/offline"
    section = {"pairs": pairs, "epochs": _epochs(taken, pairs)}
    _offline(folder, steps.recipe_with({"dpo_offline": section}, folder / "params.yaml"))
    folder = ARMS / "loop/restart"
    twice = {"dpo": {"start": "sft", "epochs": given["restart_epochs"]}}
    _restart(folder, steps.recipe_with(twice, folder / "params.yaml"), ARMS / given["online"][-1])
    return {name: figures(ARMS / "loop" / name) for name in ("offline", "restart")}


def _epochs(wanted: int, pairs: int) -> float:
    """Passes over the offline pairs that make a number of steps."""
    recipe = yaml.safe_load(Path("params.yaml").read_text("utf-8"))
    return float(wanted / math.ceil(pairs / recipe["dpo_offline"]["global_batch"]))


def _offline(folder: Path, params: Path) -> None:
    call(
        "pipelines.stages.pairs_offline",
        preferences=DATA / "sources/preference/nectar/table.parquet",
        prompts=PROMPTS,
        table=folder / "history.parquet",
        rejects=folder / "history_rejects.parquet",
        metrics=folder / "history.json",
        params=params,
    )
    call(
        "pipelines.stages.dpo_offline",
        sft=SFT,
        history=folder / "history.parquet",
        reference=folder / "reference.parquet",
        checkpoint=folder / "checkpoint",
        metrics=folder / "dpo.json",
        params=params,
    )
    evaluate(folder, folder / "checkpoint", "plain", params)


def _restart(folder: Path, params: Path, last: Path) -> None:
    """pi0 again on the last arm's history, for more epochs."""
    _dpo(folder, "iter1", SFT, last, params)
    evaluate(folder, folder / "checkpoint", "plain", params)
