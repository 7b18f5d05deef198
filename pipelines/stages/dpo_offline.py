"""The offline baseline: DPO from pi0 on a ranked set, rank 1 against a worse response.

Run: python -m pipelines.stages.dpo_offline --sft data/checkpoints/sft
--history data/iterations/offline/history.parquet
--reference data/iterations/offline/reference.parquet
--checkpoint data/checkpoints/offline --metrics data/iterations/offline/dpo.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from curation.core import schema
from pipelines.core import io, stage
from pipelines.core import params as parameters
from pipelines.core.arguments import Arguments, reads, writes
from pipelines.core.stage import Stage
from pipelines.shared import comparisons, launching, references, settings


class Args(Arguments):
    """What the stage reads, writes and is told."""

    sft: Path = reads()
    history: Path = reads()
    reference: Path = writes()
    checkpoint: Path = writes()
    metrics: Path = writes()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; returns the exit code."""
    return stage.run("dpo_offline", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Compute the pairs' reference log-probs, train."""
    params = parameters.load(args.params)
    history = io.read(args.history, schema.HISTORY)
    from training.core import checkpoint, environment
    from training.trainers import dpo

    environment.prepare()
    from training.core.chat_template import ChatTemplate

    chosen = settings.dpo_offline(params)
    reference = references.compute(
        run, args.sft, history, schema.REFERENCE.empty(), chosen.batch_tokens, bf16=chosen.bf16
    )
    # Computed once, in one process: those that train together find its shards.
    launching.together(run, params.dpo_offline.launch)
    run.outputs.table(args.reference, schema.REFERENCE, reference)
    template = ChatTemplate(checkpoint.load_tokenizer(args.sft))
    known = references.lookup(reference, checkpoint.weights_sha(args.sft), template.sha)
    metrics = dpo.train(
        args.sft,
        template,
        comparisons.of(history),
        known,
        chosen,
        name="offline",
        out=args.checkpoint,
        work=run.kept_until_done("training"),
    )
    run.outputs.json(args.metrics, {"rows_in": history.height, **metrics})
    run.summary.rows_in, run.summary.kept = history.height, metrics["pairs"]
    run.summary.rejected = history.height - metrics["pairs"]
    run.summary.tokens += round(metrics["tokens"] * chosen.epochs)
    run.summary.note = f"{metrics['steps']} steps, loss {metrics['loss']:.4f}"


if __name__ == "__main__":
    sys.exit(main())
