"""Build the prompt pool: the prompt sets -> prompts.parquet + rejects.

Run: python -m pipelines.stages.prompts --sources data/sources/prompts \
--benchmarks data/sources/benchmark --table T.parquet --rejects R.parquet --metrics M.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from curation.core import messages, schema, statistics
from curation.core.errors import UserError
from curation.mixing import prompt_map
from curation.mixing.prompt_pool import Pool, decide, kept, rejects
from pipelines.core import io, params, stage
from pipelines.core.arguments import Arguments, reads, writes
from pipelines.core.params import Params
from pipelines.core.stage import Stage
from pipelines.shared import mixing


class Args(Arguments):
    """What the stage reads, writes and is told."""

    sources: Path = reads()
    benchmarks: Path = reads()
    table: Path = writes()
    rejects: Path = writes()
    metrics: Path = writes()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; 0, or 2 on bad input."""
    return stage.run("prompts", Args, _body, argv)


def _body(run: Stage, args: Args) -> None:
    whole = params.load(args.params)
    pool = _pool(whole)
    decided = decide(_tables(args.sources, whole), mixing.benchmarks(args.benchmarks, whole), pool)
    stay, gone = kept(decided, pool), rejects(decided)
    if stay.is_empty():
        raise UserError(
            f"prompts: the limits leave none of {decided.height} prompts; see params.yaml"
        )
    texts = stay.select(messages.text(pl.col("messages")))["messages"].to_list()
    vectors = _vectors(texts, whole)
    drawn = prompt_map.coordinates(texts, pool.clusters, pool.split_seed, vectors)
    table = stay.hstack(drawn)
    run.outputs.table(args.table, schema.PROMPTS, table)
    run.outputs.table(args.rejects, schema.REJECTS, gone)
    if decided.height != stay.height + gone.height:
        raise AssertionError(f"prompts: {decided.height} in, {stay.height} + {gone.height} out")
    run.outputs.json(args.metrics, _metrics(decided, table, gone, whole))
    run.summary.rows_in, run.summary.kept = decided.height, stay.height
    run.summary.rejected = gone.height


def _pool(whole: Params) -> Pool:
    given = whole.prompts
    return Pool(
        max_tokens=given.max_tokens,
        min_chars=given.min_chars,
        eval_range=given.eval_range,
        clusters=given.clusters,
        split_seed=whole.seeds.split,
        held_out=tuple(given.held_out),
        near=given.near_threshold if given.dedup == "near" else None,
        decontaminate=mixing.settings(given.decontaminate),
    )


def _vectors(texts: list[str], whole: Params) -> Any | None:
    """Embeddings of the texts by the model that params.yaml names for the map, if any."""
    named, revision = whole.prompts.map_model, whole.prompts.map_revision
    if named is None:
        return None
    from pipelines.shared import model_files

    with model_files.located(named, revision, "prompts.map_model") as origin:
        from training.engines import embeddings

        return embeddings.embed(texts, origin)


def _tables(folder: Path, whole: Params) -> dict[str, pl.LazyFrame]:
    names = [name for name, one in whole.sources.items() if one.kind == "prompts"]
    tables = {n: io.scan(folder / n / "table.parquet", schema.PROMPT_SOURCE) for n in names}
    for name, table in tables.items():
        if table.select(pl.col("n_tokens").null_count()).collect().item():
            raise UserError(
                f"{folder / name / 'table.parquet'}: n_tokens is null; standardize with --tokenizer"
            )
    return tables


def _metrics(
    decided: pl.DataFrame, table: pl.DataFrame, gone: pl.DataFrame, whole: Params
) -> dict[str, object]:
    """Counts by rule, figures by source, and the prompts that each slice may draw from."""
    slices = {name: one.prompts for name, one in whole.iterations.items()}
    sizes = {
        name: table.filter(pl.col("bucket").is_between(*bounds, closed="left")).height
        for name, bounds in {**slices, "eval": whole.prompts.eval_range}.items()
    }
    counts = statistics.ledger(decided.height, table.height, gone.lazy())
    return {**counts, "slices": sizes, "figures": statistics.prompts(table.lazy())}


if __name__ == "__main__":
    sys.exit(main())
