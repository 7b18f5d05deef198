"""A made build for the audit's measurements: everything the report and the queries read.

Preferences, mixes, pairs and histories come out of the stages themselves; sampled responses,
their scores, the pool's map and the evaluations are drawn at random.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import yaml

from benchmarks import curation as front
from benchmarks.ways.pairing_ways import LETTERS
from curation.core import ids, schema
from curation.core.ordered import Spill
from pipelines.core.outputs import Outputs

ITERATIONS = ("iter1", "iter2", "iter3")
POLICIES = ("sft", "iter1", "iter2")
SETS = 4
SAMPLES = 4  # responses to a prompt
CHUNK = 50_000  # prompts made at once
HELD_OUT = 1_000  # prompts that every policy is evaluated on
MANIFEST = {"uri": "made", "revision": None, "commit": None, "format": "rlhflow"}


def make(rows: int, folder: Path) -> Path:
    """Write a build of so many comparisons and so many sampled pairs, once; returns its folder."""
    data = folder / f"build{rows}" / "data"
    done = data.parent / "done"
    if done.is_file():
        return data
    data.mkdir(parents=True, exist_ok=True)
    params = parameters(data)
    preferences(rows // SETS, data, params)
    shares = [rows * part // len(ITERATIONS) for part in range(len(ITERATIONS) + 1)]
    pool = Spill(spills(data) / "pool", "prompt_id")
    for turn, (low, high) in enumerate(pairwise(shares)):
        for part in sampled(turn, low, high, data):
            pool.add(part)
    held_out(pool, data)
    write(data / "prompts" / "prompts.parquet", schema.PROMPTS, pool)
    shutil.rmtree(spills(data))
    iterations(data, params)
    done.touch()
    return data


def spills(data: Path) -> Path:
    """Where the rows wait to be sorted."""
    return data.parent / "spills"


def parameters(data: Path) -> Path:
    """The sample recipe with both mixes made of the made sets."""
    whole = yaml.safe_load(Path("recipes/sample.yaml").read_text("utf-8"))
    kept = {name: one for name, one in whole["sources"].items() if one["kind"] != "benchmark"}
    made = {"kind": "preference", "format": "rlhflow", "path": "none", "filters": ["structural"]}
    bench = {"kind": "benchmark", "format": "text_column", "path": "none"}
    names = [f"set{number}" for number in range(SETS)]
    whole["sources"] = {**kept, **dict.fromkeys(names, made), "nothing": bench}
    members: dict[str, dict[str, str]] = {name: {} for name in names}
    mix = {"members": members, "dedup": "exact", "conflicts": "keep"}
    whole["mixes"] = dict.fromkeys(whole["mixes"], mix)
    path = data.parent / "params.yaml"
    path.write_text(yaml.safe_dump(whole, sort_keys=False), "utf-8")
    return path


def preferences(rows: int, data: Path, params: Path) -> None:
    """Native rows of every set through standardize and both mixes."""
    front.empty("benchmark", data / "sources" / "benchmark" / "nothing" / "table.parquet")
    pool = spills(data) / "no-pool.parquet"  # the pool is made later; nothing here is held out
    front.empty("prompts", pool)
    sources = data / "sources" / "preference"
    for number in range(SETS):
        folder = sources / f"set{number}"
        folder.mkdir(parents=True, exist_ok=True)
        front.generate(rows, folder, seed=number)
        counts = {"files": [], "rows": rows, "kept": rows}
        manifest: dict[str, object] = {**MANIFEST, "source": folder.name, **counts}
        (folder / "fetch.json").write_text(json.dumps(manifest), "utf-8")
        flags = {"source": folder.name, "native": folder / "native.parquet"}
        run("standardize", params, flags | outputs(folder, "table", "rejects", "metrics"))
    for mix in ("mix1", "mix2"):
        flags = {"mix": mix, "sources": sources, "prompts": pool}
        flags |= {"benchmarks": data / "sources" / "benchmark"}
        out = outputs(data / "mixes" / mix, "table", "rejects", "metrics")
        run("mix", params, flags | out | {"table": data / "mixes" / mix / "mix.parquet"})


def outputs(folder: Path, *names: str, prefix: str = "") -> dict[str, Path]:
    """The files of a stage's flags: metrics as JSON, all else as Parquet."""
    suffix = {"metrics": ".json"}
    return {name: folder / f"{prefix}{name}{suffix.get(name, '.parquet')}" for name in names}


def run(stage: str, params: Path, flags: dict[str, object]) -> None:
    """One stage as the graph runs it."""
    given = [part for name, value in flags.items() for part in (f"--{name}", str(value))]
    command = [sys.executable, "-m", f"pipelines.stages.{stage}", "--params", str(params), *given]
    subprocess.run(command, check=True, stdout=sys.stderr)


def sampled(turn: int, low: int, high: int, data: Path) -> Iterator[pl.DataFrame]:
    """Write an iteration's responses and scores; its prompts, a chunk at a time."""
    rng = np.random.default_rng(turn)
    text = rng.choice(LETTERS, 1 << 24).tobytes().decode()
    folder = data / "iterations" / ITERATIONS[turn]
    tables = (schema.GENERATIONS, schema.SCORES)
    waiting = {t: Spill(spills(data) / folder.name / t.name, t.key[0]) for t in tables}
    for start in range(low, high, CHUNK):
        count = min(CHUNK, high - start)
        made = chunk(rng, text, start, count, SAMPLES)
        named = made["generations"].with_columns(policy=pl.lit(POLICIES[turn]))
        waiting[schema.GENERATIONS].add(named)
        waiting[schema.SCORES].add(made["scores"])
        yield placed(made["prompts"], rng)
    for table, spill in waiting.items():
        write(folder / f"{table.name}.parquet", table, spill)


def chunk(
    rng: np.random.Generator, text: str, start: int, count: int, n: int
) -> dict[str, pl.DataFrame]:
    """Tables of `count` prompts with n responses each."""
    rows = count * n
    message = pl.struct(role=pl.lit("user"), content=pl.format("question {}", "k"))
    pool = pl.DataFrame({"k": np.arange(start, start + count)}).select(
        messages=pl.concat_list(message).cast(schema.MESSAGES)
    )
    pool = pool.with_columns(
        prompt_id=ids.prompt_id(pl.col("messages")), source=pl.lit("made"), source_row=pl.lit("0"),
        n_chars=12, n_tokens=3, license=pl.lit("none"), bucket=0.1, split=pl.lit("train"),
        map_x=0.0, map_y=0.0, cluster=0,
    )  # fmt: skip
    chars = np.minimum(rng.exponential(400, rows).astype(int) + 20, 4000)
    at = rng.integers(0, len(text) - 4000, rows)
    made = pl.DataFrame(
        {
            "prompt_id": pool["prompt_id"].gather(np.repeat(np.arange(count), n)),
            "sample": np.tile(np.arange(n), count),
            "response": [text[a : a + size] for a, size in zip(at, chars, strict=True)],
            "n_chars": chars,
            "n_tokens": chars // 4 + 1,
            "reward": rng.normal(size=rows) + 0.001 * chars,
        }
    ).with_columns(generation_id=ids.digest(pl.concat_str("prompt_id", "sample")))
    said = made.with_columns(
        token_ids=pl.lit([1, 2]), finish_reason=pl.lit("stop"), seed=1, temperature=1.0,
        policy=pl.lit("sft"), policy_sha=pl.lit("-"), engine=pl.lit("vllm"),
        engine_version=pl.lit("-"), template_sha=pl.lit("-"),
    )  # fmt: skip
    judged = made.select(
        "generation_id", "reward", judge=pl.lit("rm"), reason=None, judge_sha=pl.lit("-"),
        template_sha=pl.lit("-"), dtype=pl.lit("float32"),
    )  # fmt: skip
    frames = {"prompts": pool, "generations": said, "scores": judged}
    return {
        t.name: frames[t.name].select(pl.col(c.name).cast(c.dtype) for c in t.columns)
        for t in (schema.PROMPTS, schema.GENERATIONS, schema.SCORES)
    }


def placed(prompts: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Prompts with a place on the map, a source and a bucket."""
    at = rng.normal(size=(prompts.height, 2))
    sources = [f"prompts{number}" for number in rng.integers(0, 3, prompts.height)]
    return prompts.with_columns(
        source=pl.Series(sources),
        bucket=pl.Series(rng.random(prompts.height)),
        map_x=pl.Series(at[:, 0]),
        map_y=pl.Series(at[:, 1]),
        cluster=pl.Series(rng.integers(0, 12, prompts.height)),
    )


def write(path: Path, table: schema.Table, spill: Spill) -> None:
    """A spill as a table."""
    made = Outputs()
    made.parts(path, table, spill.parts())
    made.commit()


def held_out(pool: Spill, data: Path) -> None:
    """Every policy's responses to the same held-out prompts, and the oracle's rewards."""
    for turn, policy in enumerate((*POLICIES, "iter3")):
        rng = np.random.default_rng(100 + turn)
        text = rng.choice(LETTERS, 1 << 20).tobytes().decode()
        made = chunk(rng, text, 10**9, HELD_OUT, 1)
        folder = data / "evaluation" / policy
        folder.mkdir(parents=True, exist_ok=True)
        named = made["generations"].with_columns(policy=pl.lit(policy))
        named.sort("generation_id").write_parquet(folder / "generations.parquet")
        oracle = made["scores"].with_columns(judge=pl.lit("oracle"))
        oracle.sort("generation_id").write_parquet(folder / "scores.parquet")
        if turn == 0:
            pool.add(placed(made["prompts"], rng).with_columns(split=pl.lit("eval")))


def iterations(data: Path, params: Path) -> None:
    """Pairs and histories by their stages, references and the length-bias scores at random."""
    folder = data / "iterations"
    before = folder / "sft" / "history.parquet"
    before.parent.mkdir(parents=True)
    schema.HISTORY.empty().write_parquet(before)
    for name in ITERATIONS:
        own = folder / name
        tables = {table: own / f"{table}.parquet" for table in ("generations", "scores")}
        flags = {"iteration": name, **tables, "prompts": data / "prompts" / "prompts.parquet"}
        out = {"table": own / "pairs.parquet", "rejects": own / "pair_rejects.parquet"}
        run("pair", params, flags | out | {"metrics": own / "pair.json"})
        flags = {"iteration": name, "previous": before, "pairs": own / "pairs.parquet"}
        out = outputs(own, "rejects", prefix="history_") | {"table": own / "history.parquet"}
        run("history", params, flags | out | {"metrics": own / "history.json"})
        before = own / "history.parquet"
        referenced(before, own / "reference.parquet")
    for mix in ("mix1", "mix2"):
        (data / "length_bias" / mix).mkdir(parents=True)
        scores = pl.scan_parquet(folder / "iter1" / "scores.parquet")
        named = scores.with_columns(judge=pl.lit(f"reward_model/{mix}"))
        named.sink_parquet(data / "length_bias" / mix / "scores.parquet")


def referenced(history: Path, path: Path) -> None:
    """Log-probabilities of every pair, drawn at random."""
    ids = pl.read_parquet(history, columns=["pair_id"])
    rng = np.random.default_rng(7)
    figures = {
        column.name: pl.Series(-100 * rng.random(ids.height))
        for column in schema.REFERENCE.columns
        if column.dtype == pl.Float64
    }
    hashes = {"reference_sha": pl.lit("made"), "template_sha": pl.lit("made")}
    ids.with_columns(**hashes, **figures).select(schema.REFERENCE.names).write_parquet(path)
