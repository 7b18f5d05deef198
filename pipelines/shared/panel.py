"""A panel: several judges of params.yaml score the same responses, each under its own name.

The panel's folder holds one pin per judge: what the judge reads, by hash. A stage that scores with
the panel depends on the folder, so it runs again when a judge of the panel changes, and not when
any other model does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from curation.core import schema
from curation.core.errors import UserError
from curation.reading.readers import Bad
from pipelines.core import io
from pipelines.core.outputs import rounded
from pipelines.core.params import Params
from pipelines.core.params.judges import (
    FunctionJudge,
    Judge,
    LlmJudge,
    PreferenceJudge,
    RewardModelJudge,
    Served,
    ServedRewardModelJudge,
)
from pipelines.core.stage import Stage
from pipelines.shared import judging, shards, user_rows
from pipelines.shared import settings as plain
from pipelines.shared.workers import Job

if TYPE_CHECKING:
    from training.engines.settings import Engine
    from training.judges.load import Settings
    from training.judges.protocol import Judge as Loaded

PIN = "pin.json"
_HOW_ONLY = {"url", "api_key_env", "concurrency", "timeout", "retries", "prompts"}


def pin(name: str, section: Judge) -> dict[str, Any]:
    """What decides a judge's rewards: its settings and the hash of what it reads.

    Raises:
        UserError: its model or file is not there.
    """
    path = Path(section.path)
    settings = section.model_dump(exclude={"server": _HOW_ONLY})
    if isinstance(section, ServedRewardModelJudge):
        return {"name": name, "settings": settings, "sha": _tokenizer_sha(name, path)}
    if path.is_dir():
        from training.core import checkpoint

        return {"name": name, "settings": settings, "sha": checkpoint.weights_sha(path)}
    if not path.is_file():
        raise UserError(f"judges.{name}.path: no file or folder {path}; put it there or correct it")
    return {"name": name, "settings": settings, "sha": user_rows.sha([path])}


def _tokenizer_sha(name: str, path: Path) -> str:
    """Hash of what is read here of a model that a server holds.

    Raises:
        UserError: a file is missing.
    """
    files = [path / "tokenizer.json", path / "config.json"]
    lost = [file.name for file in files if not file.is_file()]
    if lost:
        raise UserError(
            f"judges.{name}.path: no {lost[0]} in {path}; give the served model's tokenizer and "
            "config.json (its weights are not needed)"
        )
    return user_rows.sha(files)


def is_panel(folder: Path) -> bool:
    """Whether a folder holds pins, of a panel or of one judge of it, rather than a model."""
    return folder.is_dir() and not (folder / "config.json").exists()


def score(run: Stage, folder: Path, answers: pl.DataFrame, params: Params) -> pl.DataFrame:
    """Scores of all answers by every judge of a folder, one row for each judge and answer.

    The folder is the panel's, or that of one judge in it.

    A judge's finished shards stay until something it reads, or the code, changes: adding a judge
    to a panel never asks the others again.
    """
    from training.core import environment

    environment.prepare()
    sections = _checked(folder, params.judges)
    groups = judging.by_prompt(answers)
    frames = [_one(run, params, groups, name) for name in sections]
    return pl.concat(frames).select(schema.SCORES.names)


def _one(
    run: Stage, params: Params, groups: Sequence[list[judging.Answer]], name: str
) -> pl.DataFrame:
    """One judge's scores; its model is let go before the next one's is loaded."""
    from training.judges import load

    settings, engine = settings_of(name, params.judges[name]), plain.engine(params)
    print(f"{run.name}: judge {name} ({settings.kind})", flush=True)
    judge = load.described(settings, engine)
    key = [judge.sha, judge.template_sha, judge.dtype, groups]
    job = Job(
        run.name,
        partial(_load, settings, engine),
        _judged,
        gpus=engine.tensor_parallel,
        here=settings.served,
    )
    size = params.engine.shard_prompts
    return shards.run(run, f"scores-{name}", key, groups, size, job=job, keep=True)


def _load(settings: Settings, engine: Engine) -> Loaded:
    """The judge, loaded where it is to work."""
    from training.core import environment

    environment.prepare()
    from training.judges import load

    return load.judge(settings, engine)


def settings_of(name: str, section: Judge) -> Settings:
    """A section of params.judges as the plain settings that training takes."""
    from training.engines.endpoint import Endpoint
    from training.judges.llm import Chat
    from training.judges.load import Settings
    from training.judges.served import Asking
    from training.judges.view import Reading

    settings: dict[str, Any] = {"name": name, "kind": section.kind, "path": Path(section.path)}
    if isinstance(section, PreferenceJudge | LlmJudge):
        settings["contest"] = section.contest
    if isinstance(section, Served):
        settings["server"] = Endpoint(**section.server.model_dump())
    if isinstance(section, ServedRewardModelJudge):
        settings["asking"] = Asking(section.api, section.context)
    if isinstance(section, LlmJudge):
        settings["chat"] = Chat(section.temperature, section.max_tokens)
    if isinstance(section, RewardModelJudge):
        settings["reading"] = Reading(section.head, section.reads, section.context)
    if isinstance(section, FunctionJudge):
        settings["function"] = section.function
        settings["answers"] = _answers(name, section)
    return Settings(**settings)


def _answers(name: str, section: FunctionJudge) -> Mapping[str, str] | None:
    """Known answers by prompt text; None for a function that stands in a file of its own.

    Raises:
        UserError: the file lacks a column, or gives one prompt two different answers.
    """
    path = Path(section.path)
    if path.suffix == ".py":
        return None
    prompt, answer = section.prompt_column, section.answer_column
    known: dict[str, str] = {}
    for row in user_rows.read(path):
        if isinstance(row, Bad) or not {prompt, answer} <= row.keys():
            raise UserError(
                f"{path}: judges.{name}: a row has no {prompt} and {answer}; name the columns with "
                "prompt_column and answer_column"
            )
        if known.setdefault(str(row[prompt]), str(row[answer])) != str(row[answer]):
            raise UserError(f"{path}: judges.{name}: two answers to {str(row[prompt])[:60]!r}")
    return known


def _checked(folder: Path, judges: Mapping[str, Judge]) -> dict[str, Judge]:
    """The judges of a folder by name, their pins agreeing with what they read now."""
    if (folder / PIN).is_file():
        return _agreeing(folder.parent, {k: one for k, one in judges.items() if k == folder.name})
    have = sorted(path.parent.name for path in folder.glob(f"*/{PIN}"))
    if have != sorted(judges):
        raise UserError(
            f"{folder}: holds pins of {', '.join(have) or 'no judge'}, but params.yaml's judges "
            f"are {', '.join(sorted(judges)) or 'none'}; run dvc repro, and remove old pins"
        )
    return _agreeing(folder, judges)


def _agreeing(folder: Path, judges: Mapping[str, Judge]) -> dict[str, Judge]:
    for name, section in judges.items():
        if io.read_json(folder / name / PIN) != rounded(pin(name, section)):
            raise UserError(
                f"{folder}/{name}/{PIN}: the judge has changed since; run dvc repro judge@{name}"
            )
    return dict(sorted(judges.items()))


def _judged(judge: Loaded, groups: Sequence[list[judging.Answer]]) -> pl.DataFrame:
    from training.judges.protocol import Group

    asked = [
        Group(group[0][1], tuple(answer[2] for answer in group), tuple(judging.sampled(group)))
        for group in groups
    ]
    verdicts = [verdict for found in judge.judge(asked) for verdict in found]
    ids = [answer[0] for group in groups for answer in group]
    return judging.rows(judge, judge.template_sha, ids, verdicts)
