"""The ways of pairing: rows, the loop over JSON lines, the selection, the stage and its floor."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.curation import measure
from curation import ids, schema
from curation.core.ordered import Spill
from curation.length_stats import mean_pearson
from curation.pairing import choose, responses
from curation.pairing.rules import Rules
from pipelines.core import io

CHUNK = 50_000  # prompts made at once
LETTERS = np.frombuffer(b"eeeettaaooiinnsshrrdlcumwfgypb    ", dtype=np.uint8)


def generate(prompts: int, n: int, folder: Path) -> None:
    """Write generations, scores, prompts and rows.jsonl, once; constant memory."""
    if (folder / "rows.jsonl").is_file():
        return
    rng = np.random.default_rng(prompts)
    text = rng.choice(LETTERS, 1 << 26).tobytes().decode()
    spills = {t.name: Spill(folder / t.name, t.key[0]) for t in TABLES}
    with io.atomic(folder / "rows.jsonl") as temp, temp.open("w") as lines:
        for start in range(0, prompts, CHUNK):
            count = min(CHUNK, prompts - start)
            for name, frame in chunk(rng, text, start, count, n).items():
                if name == "lines":
                    lines.writelines(json.dumps(row) + "\n" for row in frame.iter_rows(named=True))
                else:
                    spills[name].add(frame)
        outputs = io.Outputs()
        for table in TABLES:
            outputs.parts(folder / f"{table.name}.parquet", table, spills[table.name].parts())
        outputs.commit()


TABLES = (schema.PROMPTS, schema.GENERATIONS, schema.SCORES)


def chunk(
    rng: np.random.Generator, text: str, start: int, count: int, n: int
) -> dict[str, pl.DataFrame]:
    """Tables of `count` prompts with n responses each, and the same as lines."""
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
        engine_version=pl.lit("-"),
    )  # fmt: skip
    judged = made.select(
        "generation_id", "reward", judge=pl.lit("rm"), reason=None, judge_sha=pl.lit("-"),
        template_sha=pl.lit("-"), dtype=pl.lit("float32"),
    )  # fmt: skip
    frames = {"prompts": pool, "generations": said, "scores": judged}
    typed = {
        t.name: frames[t.name].select(pl.col(c.name).cast(c.dtype) for c in t.columns)
        for t in TABLES
    }
    return {**typed, "lines": made}


def inside(folder: Path) -> dict[str, Callable[[], object]]:
    """Ways that run in this process, imports excluded."""
    return {"select": lambda: select(folder), "jsonl": lambda: jsonl(folder)}


def select(folder: Path) -> choose.Choice:
    """Candidates with penalty 0, within-prompt moments, ties and best of n; no text is read."""
    rules = Rules()
    generations = io.scan(folder / "generations.parquet", schema.GENERATIONS)
    scores = io.scan(folder / "scores.parquet", schema.SCORES)
    judges = responses.judges_of(scores, rules)
    loaded = responses.load(generations, scores, judges, rules)
    picked = choose.choose(loaded, rules)
    mean_pearson(picked.within)
    return picked


def jsonl(folder: Path) -> list[tuple[str, str, float]]:
    """The same by a loop over lines, in plain Python."""
    prompts: dict[str, list[tuple[float, int, str]]] = {}
    with (folder / "rows.jsonl").open() as lines:
        for line in lines:
            row = json.loads(line)
            answer = (row["reward"], row["n_chars"], row["generation_id"])
            prompts.setdefault(row["prompt_id"], []).append(answer)
    pairs = []
    for answers in prompts.values():
        best, worst = max(answers), min(answers)
        pairs.append((best[2], worst[2], pearson(answers)))
    return pairs


def pearson(answers: list[tuple[float, int, str]]) -> float:
    """Correlation of reward and length of one prompt's responses."""
    n = len(answers)
    reward, length = sum(a[0] for a in answers) / n, sum(a[1] for a in answers) / n
    product = sum((a[0] - reward) * (a[1] - length) for a in answers)
    spread = sum((a[0] - reward) ** 2 for a in answers) * sum((a[1] - length) ** 2 for a in answers)
    return product / spread**0.5 if spread else 0.0


def outside(folder: Path) -> dict[str, tuple[float, float, float]]:
    """(seconds, CPU seconds, peak GiB) of the ways that are processes of their own."""
    return {"stage": measure(stage(folder)), "floor": measure(floor(folder))}


def stage(folder: Path) -> Iterator[list[str]]:
    """The pair command."""
    given: dict[str, Any] = {
        name: folder / f"{name}.parquet" for name in ("generations", "scores", "prompts")
    }
    made = {"table": "pairs.parquet", "rejects": "rejects.parquet", "metrics": "pair.json"}
    given |= {name: folder / file for name, file in made.items()}
    flags = [part for name, path in given.items() for part in (f"--{name}", str(path))]
    params = ["--params", "recipes/sample.yaml"]
    yield [sys.executable, "-m", "pipelines.pair", "--iteration", "iter1", *flags, *params]


def floor(folder: Path) -> Iterator[list[str]]:
    """Read the columns that the stage reads, write the tables that it wrote."""
    code = f"""
from pathlib import Path
import polars as pl
from curation import schema
from pipelines.core.io import Outputs
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
