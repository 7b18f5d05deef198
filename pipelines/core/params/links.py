"""Checks across sections of params.yaml: every name that is used is a name that exists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from curation.core.errors import UserError
from pipelines.core.params.judges import LlmJudge

if TYPE_CHECKING:
    from pipelines.core.params.loop import Iteration
    from pipelines.core.params.recipe import Params


def check_links(params: Params, path: Path) -> None:
    """Raise UserError, naming the key, on the first name that nothing defines."""
    for problem in _problems(params):
        raise UserError(f"{path}: {problem}")


def _problems(params: Params) -> Iterator[str]:
    yield from _kinds(params)
    yield from _members(params)
    yield from _iterations(params)
    yield from _judges(params)
    yield from _divisible(params)
    yield from _engine(params)


def _kinds(params: Params) -> Iterator[str]:
    have = {source.kind for source in params.sources.values()}
    for kind in ("preference", "sft", "prompts", "benchmark"):
        if kind not in have:
            yield f"sources: none has kind {kind}; the graph needs at least one"


def _members(params: Params) -> Iterator[str]:
    uses: list[tuple[str, Iterable[str], str]] = [
        (f"mixes.{name}.members", mix.members, "preference") for name, mix in params.mixes.items()
    ]
    uses.append(("sft_mix.members", params.sft_mix.members, "sft"))
    uses.append(("dpo_offline.source", [params.dpo_offline.source], "preference"))
    uses.append(("base.corpus", [params.base.corpus], "sft"))
    if params.history.offline is not None and params.history.offline not in params.mixes:
        yield f"history.offline: no mix is named {params.history.offline}"
    for key, members, kind in uses:
        for member in members:
            if member not in params.sources:
                yield f"{key}.{member}: no source has this name; sources: {_list(params.sources)}"
            elif params.sources[member].kind != kind:
                yield f"{key}.{member}: is of kind {params.sources[member].kind}, not {kind}"


def _iterations(params: Params) -> Iterator[str]:
    known = ["sft"]
    for name, iteration in params.iterations.items():
        key = f"iterations.{name}"
        if iteration.policy not in known:
            yield (
                f"{key}.policy: no earlier iteration produces a policy named "
                f"{iteration.policy}; known here: {_list(known)}"
            )
        yield from _also(key, iteration, params)
        for other in params.iterations:
            if other != name and _overlap(iteration.prompts, params.iterations[other].prompts):
                yield f"{key}.prompts: overlaps iterations.{other}.prompts"
        if _overlap(iteration.prompts, params.prompts.eval_range):
            yield f"{key}.prompts: overlaps prompts.eval_range, which is held out"
        known.append(name)
    for policy in params.evaluation.policies:
        if policy not in [*known, "offline"]:
            yield f"evaluation.policies: no stage produces a policy named {policy}"
    if params.length_bias.iteration not in params.iterations:
        yield f"length_bias.iteration: no iteration is named {params.length_bias.iteration}"


def _also(key: str, iteration: Iteration, params: Params) -> Iterator[str]:
    """Further policies are ancestors of the main one: its file of policies names them alone."""
    ancestors, name = [], iteration.policy
    while name in params.iterations and name not in ancestors:
        name = params.iterations[name].policy
        ancestors.append(name)
    for other in iteration.also:
        if other not in ancestors:
            yield (
                f"{key}.also.{other}: not an ancestor of policy {iteration.policy}; "
                f"its ancestors: {_list(ancestors) or 'none'}"
            )


def _judges(params: Params) -> Iterator[str]:
    yield from _panel(params)
    for key, name in (
        ("evaluation.reward_model", params.evaluation.reward_model),
        ("preference_model.mix", params.preference_model.mix),
    ):
        if name not in params.mixes:
            yield f"{key}: no mix is named {name}; mixes: {_list(params.mixes)}"
    evaluates = params.evaluation.reward_model
    if evaluates in _labels(params):
        yield (
            f"evaluation.reward_model: {evaluates} labels the pairs that policies are trained on; "
            "name another mix, or its figures would praise what it taught"
        )


def _labels(params: Params) -> set[str]:
    """The mixes whose reward models score what is paired."""
    if params.scoring.reward_model != "panel":
        return {params.scoring.reward_model}
    models = Path("data/checkpoints/reward_models")
    paths = (Path(judge.path) for judge in params.judges.values() if judge.path is not None)
    return {path.name for path in paths if path.parent == models}


def _engine(params: Params) -> Iterator[str]:
    if params.engine.name == "server" and params.engine.data_parallel > 1:
        yield "engine.data_parallel: the server engine loads no model; raise server.concurrency"


def _panel(params: Params) -> Iterator[str]:
    name = params.scoring.reward_model
    if "panel" in params.mixes:
        yield "mixes.panel: this name stands for all judges; give the mix another one"
    elif name == "panel" and not params.judges:
        yield "scoring.reward_model: panel means all judges, but judges names none"
    elif name not in ("panel", *params.mixes):
        mixes = _list(params.mixes)
        yield f"scoring.reward_model: no mix is named {name}; mixes: {mixes}, or panel"
    for judge, section in params.judges.items():
        if isinstance(section, LlmJudge) and "{policy}" in section.server.model:
            yield f"judges.{judge}.server.model: name the model that judges"


def _divisible(params: Params) -> Iterator[str]:
    for key in ("sft", "reward_model", "preference_model", "dpo", "dpo_offline"):
        train = getattr(params, key)
        if train.global_batch % train.per_device_batch:
            yield (
                f"{key}.global_batch: {train.global_batch} is not a multiple of "
                f"per_device_batch {train.per_device_batch}"
            )


def _overlap(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return a[0] < b[1] and b[0] < a[1]


def _list(names: object) -> str:
    return ", ".join(sorted(str(name) for name in names))  # type: ignore[attr-defined]
