"""One step of online DPO: the history and its stored reference log-probs -> the next policy.

Run: python -m pipelines.stages.dpo --iteration iter1 --policy data/checkpoints/sft
--sft data/checkpoints/sft --history data/iterations/iter1/history.parquet
--reference data/iterations/iter1/reference.parquet --checkpoint data/checkpoints/iter1
--metrics data/iterations/iter1/dpo.json
[--ancestors data/iterations/sft/policies.json --policies data/iterations/iter1/policies.json]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from curation.core import schema
from curation.core.errors import UserError
from pipelines.core import io, stage
from pipelines.core import params as parameters
from pipelines.core.arguments import Arguments, foreach, reads, writes
from pipelines.core.stage import Stage
from pipelines.shared import comparisons, launching, policies, references, settings


class Args(Arguments):
    """What the stage reads, writes and is told."""

    policy: Path = reads()
    sft: Path = reads()
    history: Path = reads()
    reference: Path = reads()
    ancestors: Path | None = reads(default=None)
    checkpoint: Path = writes()
    metrics: Path = writes()
    policies: Path | None = writes(default=None)
    iteration: str = foreach()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; returns the exit code."""
    return stage.run("dpo", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Train from the previous policy or from pi0, against the reference the recipe names."""
    params = parameters.load(args.params)
    chosen = settings.dpo(params)
    launching.together(run, params.dpo.launch)
    history = io.read(args.history, schema.HISTORY)
    stored = io.read(args.reference, schema.REFERENCE)
    if history.is_empty():
        raise UserError(f"{args.history}: no pair to train on; loosen pairs.* in params.yaml")
    from training.core import environment

    environment.prepare()
    from training.core import checkpoint
    from training.core.chat_template import ChatTemplate
    from training.trainers import dpo

    start = args.sft if params.dpo.start == "sft" else args.policy
    reference = args.sft if params.dpo.reference == "sft" else args.policy
    sha, tokenizer = checkpoint.weights_sha(reference), checkpoint.load_tokenizer(start)
    template = ChatTemplate(tokenizer)
    known = references.lookup(stored, sha, template.sha)
    train = comparisons.of(comparisons.repeated(history, params.seeds.dpo))
    metrics = dpo.train(
        start,
        template,
        train,
        known,
        chosen,
        name=args.iteration,
        out=args.checkpoint,
        work=run.kept_until_done("training"),
    )
    if args.policies is not None:
        policies.write(run, args.policies, args.iteration, args.checkpoint, args.ancestors)
    run.outputs.json(args.metrics, {"rows_in": history.height, **metrics})
    run.summary.rows_in = len(train)
    run.summary.kept, run.summary.rejected = metrics["pairs"], metrics["too_long"]
    run.summary.tokens = round(metrics["tokens"] * params.dpo.epochs)
    run.summary.note = f"{metrics['steps']} steps, loss {metrics['loss']:.4f}"


if __name__ == "__main__":
    sys.exit(main())
