"""One combination through the real stages, in the current folder, each as its command line."""

from __future__ import annotations

import contextlib
import importlib
import io as streams
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from benchmarks.matrix import models, talk
from benchmarks.matrix.combinations import Combination
from curation.core import schema
from curation.core.errors import UserError
from pipelines.core.code import ROOT
from pipelines.core.params import text

START, JUDGE, TRAINED = Path("base"), Path("judge"), Path("trained")
POOL, IMPORTED, SAMPLED = Path("prompts.parquet"), Path("data/iterations/iter1"), Path("sampled")
NEW_TOKENS = 12
_ROOM = 256  # tokens that each conversation needs
_FOUND = Path("found")  # the policy as it is published
_DRAWS = {"n": 2, "temperatures": [1.0], "max_new_tokens": NEW_TOKENS}
_CHANGED: dict[str, Any] = {
    "base": {
        "uri": str(_FOUND), "chat_template": "from_model", "architecture": None,
        "corpus": "sharegpt",
    },
    "iterations": {
        "iter1": {"policy": "sft", "prompts": [0.0, 0.05], **_DRAWS},
        "iter2": {"policy": "iter1", "prompts": [0.05, 0.5], **_DRAWS},
    },
    "pairs": {"strategy": "best_worst", "truncated": "keep"},
    "dpo": {
        "epochs": 1, "learning_rate": 1e-4, "warmup": 0.0, "beta": 1.0, "global_batch": 64,
        "per_device_batch": 4,
    },
    "evaluation": {
        "policies": ["sft", "iter2"], "prompts": 2, "n": 2, "max_new_tokens": NEW_TOKENS,
        "reward_model": "mix1", "oracle": {"file": "params.yaml", "function": None},
    },
    "length_bias": {"iteration": "iter2"},
}  # fmt: skip


class RefusedError(Exception):
    """A stage ended with one line on bad input; the message is that line."""


def publish(combination: Combination) -> None:
    """Write the policy as it would be published, and the recipe.

    Raises:
        RefusedError: the template can't be read for its end of turn.
    """
    from training.core.chat_template import ChatTemplate

    tokenizer = combination.load()
    context = _context(tokenizer)
    values = text.read(ROOT / "recipes" / "ci.yaml").values
    values |= _CHANGED | {"dpo": _CHANGED["dpo"] | {"max_length": 2 * context}}
    Path("params.yaml").write_text(yaml.safe_dump(values, allow_unicode=True), "utf-8")
    try:
        end = ChatTemplate(tokenizer).end_id
    except UserError:  # `base` says so
        end = tokenizer.eos_token_id
    models.policy(_FOUND, tokenizer, combination.architecture, end, context)
    stage("base", corpus=_corpus(), checkpoint=START)
    models.judge(JUDGE, START, context)


def run() -> None:
    """Import, sample, judge, pair, grow the history, store references, train, evaluate."""
    SAMPLED.mkdir()
    talk.pool().write_parquet(POOL)
    none = {
        table.name: Path(f"no_{table.name}.parquet") for table in (schema.HISTORY, schema.REFERENCE)
    }
    schema.HISTORY.empty().write_parquet(none["history"])
    schema.REFERENCE.empty().write_parquet(none["reference"])
    _import()
    _iteration("iter1", IMPORTED, none["history"])
    stage(
        "generate",
        iteration="iter2",
        policy=START,
        prompts=POOL,
        **_writes(SAMPLED, "generations", "generate"),
    )
    stage(
        "score", iteration="iter2", judge=JUDGE, generations=SAMPLED / "generations.parquet",
        prompts=POOL, table=SAMPLED / "scores.parquet", metrics=SAMPLED / "score.json",
    )  # fmt: skip
    _iteration("iter2", SAMPLED, IMPORTED / "history.parquet")
    history = SAMPLED / "history.parquet"
    both = {"iteration": "iter2", "sft": START, "policy": START, "history": history}
    stage(
        "reference", **both, previous=none["reference"], table=SAMPLED / "reference.parquet",
        metrics=SAMPLED / "reference.json",
    )  # fmt: skip
    stage(
        "dpo", **both, reference=SAMPLED / "reference.parquet", checkpoint=TRAINED,
        metrics=SAMPLED / "dpo.json",
    )  # fmt: skip
    stage(
        "evaluate", policy_name="iter2", policy=TRAINED, sft=START, reward_model=JUDGE,
        prompts=POOL, oracle=Path("params.yaml"), generations=SAMPLED / "held_out.parquet",
        rejects=SAMPLED / "held_out_rejects.parquet", scores=SAMPLED / "held_out_scores.parquet",
        parts=SAMPLED / "held_out_parts.parquet", metrics=SAMPLED / "evaluate.json",
    )  # fmt: skip


def _context(tokenizer: Any) -> int:
    """Room for what a template writes before the first turn, a page of instructions in some."""
    from jinja2 import TemplateError

    try:
        text = tokenizer.apply_chat_template(talk.ASKED[0], tokenize=False)
    except TemplateError:  # `base` says so
        return _ROOM
    return max(_ROOM, 1 << (len(tokenizer(text)["input_ids"]) + _ROOM // 2).bit_length())


def _corpus() -> Path:
    file = Path("corpus.parquet")
    pl.DataFrame({"text": ["unused"]}).write_parquet(file)
    return file


def _import() -> None:
    """Bring the rows in as a user does."""
    file = Path("rows.jsonl")
    file.write_text("".join(json.dumps(row) + "\n" for row in talk.rows()), "utf-8")
    common = {"from": file, "iteration": "iter1"}
    command(
        "import_rows", "generations", **common, prompts=POOL, tokenizer=START / "tokenizer.json"
    )
    command("import_rows", "scores", **common, judge="people")


def _iteration(name: str, folder: Path, previous: Path) -> None:
    tables = {key: folder / f"{key}.parquet" for key in ("generations", "scores")}
    stage("pair", iteration=name, **tables, prompts=POOL, **_writes(folder, "pairs", "pair"))
    pairs = folder / "pairs.parquet"
    stage(
        "history", iteration=name, previous=previous, pairs=pairs,
        **_writes(folder, "history", "history"),
    )  # fmt: skip


def _writes(folder: Path, table: str, name: str) -> dict[str, Path]:
    return {
        "table": folder / f"{table}.parquet",
        "rejects": folder / f"{name}_rejects.parquet",
        "metrics": folder / f"{name}.json",
    }


def stage(name: str, **flags: object) -> None:
    """Run one stage; see `_main`."""
    _main(f"pipelines.stages.{name}", _words(flags))


def command(name: str, *words: str, **flags: object) -> None:
    """Run one command; see `_main`."""
    _main(f"pipelines.commands.{name}", [*words, *_words(flags)])


def _words(flags: dict[str, object]) -> list[str]:
    return [
        word for key, value in flags.items() for word in (f"--{key.replace('_', '-')}", str(value))
    ]


def _main(module: str, argv: Sequence[str]) -> None:
    """Run a stage or command as its command line would.

    Raises:
        RefusedError: it ends with a line on bad input.
        RuntimeError: it does not know a flag.
    """
    said = streams.StringIO()
    try:
        with contextlib.redirect_stdout(streams.StringIO()), contextlib.redirect_stderr(said):
            code = importlib.import_module(module).main(list(argv))
    except SystemExit as ended:  # argparse, which has no exit code to return
        raise RuntimeError(said.getvalue()) from ended
    if code:
        lines = [line for line in said.getvalue().splitlines() if line.strip()]
        raise RefusedError(lines[-1] if lines else f"{module} ended with {code}")
