"""The offline baseline: DPO from pi0 on a ranked set, rank 1 against a worse response.

Run: python -m pipelines.stages.dpo_offline --sft data/checkpoints/sft
--history data/iterations/offline/history.parquet
--reference data/iterations/offline/reference.parquet
--checkpoint data/checkpoints/offline --metrics data/iterations/offline/dpo.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

from curation.core import schema
from pipelines.core import io, stage
from pipelines.core import params as parameters
from pipelines.core.stage import Stage
from pipelines.shared import comparisons, launching, references, settings


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; returns the exit code."""
    parser = stage.parser(
        __doc__,
        inputs=["sft", "history"],
        outputs=["reference", "checkpoint", "metrics"],
    )
    return stage.run("dpo_offline", parser, partial(body, argv=argv), argv)


def body(run: Stage, argv: Sequence[str] | None = None) -> None:
    """Compute the pairs' reference log-probs, train."""
    params = parameters.load(run.args.params)
    launching.together("pipelines.stages.dpo_offline", argv, params.dpo_offline.launch)
    history = io.read(run.args.history, schema.HISTORY)
    from training.core import checkpoint, environment
    from training.trainers import dpo

    environment.prepare()
    from training.core.chat_template import ChatTemplate

    chosen = settings.dpo_offline(params)
    reference = references.compute(
        run, run.args.sft, history, schema.REFERENCE.empty(), chosen.batch_tokens
    )
    run.outputs.table(run.args.reference, schema.REFERENCE, reference)
    known = references.lookup(
        reference,
        checkpoint.weights_sha(run.args.sft),
        ChatTemplate(checkpoint.load_tokenizer(run.args.sft)).sha,
    )
    metrics = dpo.train(
        "offline",
        run.args.sft,
        comparisons.of(history),
        known,
        chosen,
        out=run.args.checkpoint,
        work=stage.kept_until_done(run, "training"),
    )
    run.outputs.json(run.args.metrics, {"rows_in": history.height, **metrics})
    run.summary.rows_in, run.summary.kept = history.height, metrics["pairs"]
    run.summary.rejected = history.height - metrics["pairs"]
    run.summary.tokens += round(metrics["tokens"] * chosen.epochs)
    run.summary.note = f"{metrics['steps']} steps, loss {metrics['loss']:.4f}"


if __name__ == "__main__":
    sys.exit(main())
