"""One step of online DPO: the history and its stored reference log-probs -> the next policy.

Run: python -m pipelines.stages.dpo --iteration iter1 --policy data/checkpoints/sft
--sft data/checkpoints/sft --history data/iterations/iter1/history.parquet
--reference data/iterations/iter1/reference.parquet --checkpoint data/checkpoints/iter1
--metrics data/iterations/iter1/dpo.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

import polars as pl

from curation.core import schema
from curation.core.errors import UserError
from pipelines.core import io, stage
from pipelines.core import params as parameters
from pipelines.core.stage import Stage
from pipelines.shared import comparisons, launching, references, settings


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; returns the exit code."""
    parser = stage.parser(
        __doc__,
        inputs=["policy", "sft", "history", "reference"],
        outputs=["checkpoint", "metrics"],
    )
    parser.add_argument("--iteration", required=True)
    return stage.run("dpo", parser, partial(body, argv=argv), argv)


def body(run: Stage, argv: Sequence[str] | None = None) -> None:
    """Train from the previous policy or from pi0, against the reference the recipe names."""
    params = parameters.load(run.args.params)
    launching.together("pipelines.stages.dpo", argv, params.dpo.launch)
    history = io.read(run.args.history, schema.HISTORY)
    stored = io.read(run.args.reference, schema.REFERENCE)
    if history.is_empty():
        raise UserError(f"{run.args.history}: no pair to train on; loosen pairs.* in params.yaml")
    from training.core import environment

    environment.prepare()
    from training.core import checkpoint
    from training.core.chat_template import ChatTemplate
    from training.trainers import dpo

    start = run.args.sft if params.dpo.start == "sft" else run.args.policy
    reference = run.args.sft if params.dpo.reference == "sft" else run.args.policy
    known = references.lookup(
        stored,
        checkpoint.weights_sha(reference),
        ChatTemplate(checkpoint.load_tokenizer(start)).sha,
    )
    train = comparisons.of(_weighted(history, params.seeds.dpo))
    metrics = dpo.train(
        run.args.iteration,
        start,
        train,
        known,
        settings.dpo(params),
        out=run.args.checkpoint,
        work=stage.kept_until_done(run, "training"),
    )
    run.outputs.json(run.args.metrics, {"rows_in": history.height, **metrics})
    run.summary.rows_in = len(train)
    run.summary.kept, run.summary.rejected = metrics["pairs"], metrics["too_long"]
    run.summary.tokens = round(metrics["tokens"] * params.dpo.epochs)
    run.summary.note = f"{metrics['steps']} steps, loss {metrics['loss']:.4f}"


def _weighted(history: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Repeat each pair by its weight; a fraction becomes a repeat by the hash of the pair id."""
    from curation.core import ids

    whole = pl.col("weight").floor()
    extra = ids.unit(pl.col("pair_id"), seed, "weight") < pl.col("weight") - whole
    repeats = (whole + extra.cast(pl.Float64)).cast(pl.UInt32)
    places = history.select(pl.int_range(pl.len()).repeat_by(repeats)).to_series()
    return history[places.explode().drop_nulls()]


if __name__ == "__main__":
    sys.exit(main())
