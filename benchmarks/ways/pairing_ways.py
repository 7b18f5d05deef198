"""The ways of pairing: rows, the loop over JSON lines, the selection, the stage and its floor."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from curation.core import ids, schema
from curation.pairing import choose, responses, scale
from curation.pairing.penalties import mean_pearson, moments
from curation.pairing.rules import Rules
from pipelines.core import io
from pipelines.core.outputs import Outputs, atomic

CHUNK = 1 << 18  # responses made at once
TEXTS = 40_000  # different ones
LETTERS = np.frombuffer(b"eeeettaaooiinnsshrrdlcumwfgypb    ", dtype=np.uint8)


@dataclass(frozen=True)
class Shape:
    """What is made: prompts, n responses to each, of about `chars` characters on average."""

    prompts: int
    n: int = 8
    chars: int = 400


def generate(shape: Shape, folder: Path, lines: bool) -> None:
    """Write generations, scores and prompts, and with `lines` the same as JSON, once.

    Rows come in order of their key, as the stages write them, so that none of 20 million is sorted.
    """
    if not (folder / "prompts.parquet").is_file():
        outputs = Outputs()
        rng = np.random.default_rng(shape.prompts)
        pool = prompts_of(shape.prompts)
        whose = rng.permutation(shape.prompts * shape.n) // shape.n
        texts = texts_of(rng, shape.chars)
        starts = range(0, whose.size, CHUNK)
        for table, make in ((schema.GENERATIONS, said), (schema.SCORES, judged)):
            made = (make(rows(shape, whose, pool, texts, start)) for start in starts)
            outputs.parts(folder / f"{table.name}.parquet", table, made)
        outputs.table(folder / "prompts.parquet", schema.PROMPTS, pool)
        outputs.commit()
    if lines and not (folder / "slim.jsonl").is_file():
        write_lines(folder)


def prompts_of(count: int) -> pl.DataFrame:
    """A pool of prompts."""
    message = pl.struct(role=pl.lit("user"), content=pl.format("question {}", "k"))
    pool = pl.DataFrame({"k": np.arange(count)}).select(
        messages=pl.concat_list(message).cast(schema.MESSAGES)
    )
    return pool.with_columns(
        prompt_id=ids.prompt_id(pl.col("messages")), source=pl.lit("made"), source_row=pl.lit("0"),
        n_chars=12, n_tokens=3, license=pl.lit("none"), bucket=0.1, split=pl.lit("train"),
        map_x=0.0, map_y=0.0, cluster=0,
    )  # fmt: skip


def texts_of(rng: np.random.Generator, chars: int) -> pl.Series:
    """Different texts that the responses are taken from."""
    text = rng.choice(LETTERS, 1 << 26).tobytes().decode()
    sizes = np.minimum(rng.exponential(chars, TEXTS).astype(int) + 20, 4000)
    at = rng.integers(0, len(text) - 4000, TEXTS)
    return pl.Series([text[a : a + size] for a, size in zip(at, sizes, strict=True)])


def rows(
    shape: Shape, whose: NDArray[np.int64], pool: pl.DataFrame, texts: pl.Series, start: int
) -> pl.DataFrame:
    """Responses start and on, CHUNK at most: ids ascending, each of some prompt."""
    rng = np.random.default_rng([shape.prompts, start])
    own = whose[start : start + CHUNK]
    step = np.uint64(2**64 // whose.size)
    number = np.arange(start, start + own.size, dtype=np.uint64) * step
    number += rng.integers(0, step, own.size, dtype=np.uint64)
    response = texts.gather(rng.integers(0, TEXTS, own.size))
    chars = response.str.len_chars().cast(pl.Int64)
    return pl.DataFrame(
        {
            "generation_id": hexed(number),
            "prompt_id": pool["prompt_id"].gather(own),
            "response": response,
            "n_chars": chars,
            "n_tokens": chars // 4 + 1,
            "reward": rng.normal(size=own.size) + 0.001 * chars.to_numpy(),
        }
    )


def hexed(number: NDArray[np.uint64]) -> pl.Series:
    """The numbers, and eight digits that tell nothing, as 24 hex digits."""
    low = (number * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)
    both = np.column_stack([number >> np.uint64(32), number, low]).astype(">u4")
    raw = pa.Array.from_buffers(pa.binary(12), len(both), [None, pa.py_buffer(both.tobytes())])
    found = pl.from_arrow(raw)
    assert isinstance(found, pl.Series)
    return found.bin.encode("hex")


def said(made: pl.DataFrame) -> pl.DataFrame:
    """Rows of generations."""
    return made.with_columns(
        sample=0, token_ids=pl.lit([1, 2]), finish_reason=pl.lit("stop"), seed=1, temperature=1.0,
        policy=pl.lit("sft"), policy_sha=pl.lit("-"), engine=pl.lit("vllm"),
        engine_version=pl.lit("-"), template_sha=pl.lit("-"),
    )  # fmt: skip


def judged(made: pl.DataFrame) -> pl.DataFrame:
    """Rows of scores."""
    return made.select(
        "generation_id", "reward", judge=pl.lit("rm"), reason=None, judge_sha=pl.lit("-"),
        template_sha=pl.lit("-"), dtype=pl.lit("float32"),
    )  # fmt: skip


def write_lines(folder: Path) -> None:
    """The rows of a folder as JSON lines, twice.

    texts.jsonl holds what the reference scripts hold: a prompt, its responses and their rewards in
    one line. slim.jsonl holds ids, reward and length, one response in one line.
    """
    scores = pl.scan_parquet(folder / "scores.parquet").select("generation_id", "reward")
    responses = pl.scan_parquet(folder / "generations.parquet").select(
        "generation_id", "prompt_id", "response", "n_chars"
    )
    whole = responses.join(scores, on="generation_id").sort("prompt_id", "generation_id").collect()
    pool = pl.scan_parquet(folder / "prompts.parquet").select("prompt_id", prompt="messages")
    grouped = whole.group_by("prompt_id", maintain_order=True).agg(
        responses="response", rewards="reward"
    )
    with (folder / "texts.jsonl").open("w") as lines:
        for part in grouped.join(pool.collect(), on="prompt_id").iter_slices(CHUNK):
            rows = part.select("prompt", "responses", "rewards").iter_rows(named=True)
            lines.writelines(json.dumps(row) + "\n" for row in rows)
    with atomic(folder / "slim.jsonl") as temp, temp.open("w") as lines:
        slim = whole.select("generation_id", "prompt_id", "reward", "n_chars")
        lines.writelines(json.dumps(row) + "\n" for row in slim.iter_rows(named=True))


def inside(folder: Path) -> dict[str, Callable[[], object]]:
    """Ways that run in this process, imports excluded."""
    ways = {"select": select, "loop, texts": loop_texts, "loop, slim": loop_slim}
    return {name: partial(way, folder) for name, way in ways.items()}


def select(folder: Path) -> choose.Choice:
    """Candidates with penalty 0, within-prompt moments, ties and best of n; no text is read."""
    rules = Rules()
    generations = io.scan(folder / "generations.parquet", schema.GENERATIONS)
    scores = io.scan(folder / "scores.parquet", schema.SCORES)
    loaded = responses.load(generations, scores, scale.jury(scores, rules), rules)
    picked = choose.choose(loaded, rules, 0.0)
    mean_pearson(moments(loaded.groups, loaded.reward, loaded.length))
    return picked


def loop_texts(folder: Path) -> list[tuple[int, int, float]]:
    """The same by a loop over lines of prompts with their texts, in plain Python."""
    pairs = []
    with (folder / "texts.jsonl").open() as lines:
        for line in lines:
            row = json.loads(line)
            answers = [
                (reward, len(text), place)
                for place, (reward, text) in enumerate(
                    zip(row["rewards"], row["responses"], strict=True)
                )
            ]
            pairs.append((max(answers)[2], min(answers)[2], pearson(answers)))
    return pairs


def loop_slim(folder: Path) -> list[tuple[str, str, float]]:
    """The same by a loop over lines of responses without their texts."""
    prompts: dict[str, list[tuple[float, int, str]]] = {}
    with (folder / "slim.jsonl").open() as lines:
        for line in lines:
            row = json.loads(line)
            answer = (row["reward"], row["n_chars"], row["generation_id"])
            prompts.setdefault(row["prompt_id"], []).append(answer)
    pairs = []
    for answers in prompts.values():
        pairs.append((max(answers)[2], min(answers)[2], pearson(answers)))
    return pairs


def pearson(answers: Sequence[tuple[float, int, str | int]]) -> float:
    """Correlation of reward and length of one prompt's responses."""
    n = len(answers)
    reward, length = sum(a[0] for a in answers) / n, sum(a[1] for a in answers) / n
    product = sum((a[0] - reward) * (a[1] - length) for a in answers)
    spread = sum((a[0] - reward) ** 2 for a in answers) * sum((a[1] - length) ** 2 for a in answers)
    return product / spread**0.5 if spread else 0.0


def stage(folder: Path) -> Iterator[list[str]]:
    """The pair command."""
    given: dict[str, Any] = {
        name: folder / f"{name}.parquet" for name in ("generations", "scores", "prompts")
    }
    made = {"table": "pairs.parquet", "rejects": "rejects.parquet", "metrics": "pair.json"}
    given |= {name: folder / file for name, file in made.items()}
    flags = [part for name, path in given.items() for part in (f"--{name}", str(path))]
    params = ["--params", "recipes/sample.yaml"]
    yield [sys.executable, "-m", "pipelines.stages.pair", "--iteration", "iter1", *flags, *params]


def floor(folder: Path) -> Iterator[list[str]]:
    """Read the columns that the stage reads, write the tables that it wrote."""
    code = f"""
from pathlib import Path
import polars as pl
from curation.core import schema
from pipelines.core.outputs import Outputs
folder = Path({str(folder)!r})
said = ["generation_id", "prompt_id", "response", "n_chars", "n_tokens", "finish_reason"]
reads = {{"generations": said, "scores": ["generation_id", "judge", "reward", "reason"],
         "prompts": ["prompt_id", "source", "messages"]}}
for name, columns in reads.items():
    pl.scan_parquet(folder / f"{{name}}.parquet").select(columns).collect()
outputs = Outputs()
outputs.table(folder / "floor.parquet", schema.PAIRS, pl.scan_parquet(folder / "pairs.parquet"))
outputs.commit()
"""
    yield [sys.executable, "-c", code]
