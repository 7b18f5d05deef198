"""prefloop multi-head: a reward model with one gated head per rated attribute.

Run: prefloop multi-head --reward-model data/checkpoints/reward_models/mix2
--helpsteer data/sources/preference/helpsteer/native.parquet
--ultrafeedback data/sources/preference/ultrafeedback/native.parquet
--table data/mixes/mix2/mix.parquet --checkpoint data/checkpoints/reward_models/mix2-multi
--metrics data/checkpoints/reward_models/mix2-multi.json

Heads are fitted on the ratings, the gate on the mix's train split; ratings of prompts that the mix
holds out are left out. Accuracy is on the held-out pairs, beside that of the reward model it
stands on. `judge-eval` and `rewardbench` take the new checkpoint like any other judge.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from curation.core import schema
from curation.core.errors import UserError
from curation.sources import ratings
from pipelines.core import io, stage
from pipelines.core import params as parameters
from pipelines.core.arguments import Arguments, reads, writes
from pipelines.core.stage import Stage
from pipelines.shared import comparisons, settings

TASK = "measure judges and policies"


class Args(Arguments):
    """What the command reads, writes and is told."""

    reward_model: Path = reads()
    helpsteer: Path | None = reads(default=None)
    ultrafeedback: Path | None = reads(default=None)
    table: Path = reads()
    checkpoint: Path = writes()
    metrics: Path = writes()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return stage.run("multi_head", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Gather ratings and pairs, fit, measure."""
    params = parameters.load(args.params)
    table = io.read(args.table, schema.MIXES)
    train = table.filter(pl.col("split") == "train")
    held_out = table.filter(pl.col("split") == "eval")
    rated, names = _rated(args, held_out)
    from training.core import environment

    environment.prepare()
    from training.trainers import multi_head

    rows = [
        multi_head.Rated([{"role": "user", "content": prompt}], response, tuple(values))
        for prompt, response, *values in rated.select("prompt", "response", *names).iter_rows()
    ]
    name = f"multi_head/{args.checkpoint.name}"
    metrics = multi_head.train(
        name,
        args.reward_model,
        names,
        rows,
        comparisons.of(train),
        out=args.checkpoint,
        batch_tokens=params.engine.batch_tokens,
        seed=params.seeds.reward_model,
    )
    measured = _accuracy(args, held_out, settings.engine(params))
    run.outputs.json(args.metrics, {"judge": name, **metrics, **measured})
    run.summary.rows_in = run.summary.kept = len(rows)
    if measured:
        run.summary.note = f"held-out accuracy {measured['accuracy']['accuracy']:.4f}"


def _rated(args: Args, held_out: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    given = {"helpsteer": args.helpsteer, "ultrafeedback": args.ultrafeedback}
    natives = {name: pl.read_parquet(path) for name, path in given.items() if path is not None}
    if not natives:
        raise UserError("give --helpsteer, --ultrafeedback or both: a native.parquet each")
    rated, names = ratings.gather(natives)
    asked = held_out.select(prompt=pl.col("prompt").list.last().struct.field("content")).unique()
    return rated.join(asked, on="prompt", how="anti", maintain_order="left"), names


def _accuracy(args: Args, held_out: pl.DataFrame, engine: Any) -> dict[str, Any]:
    """Held-out accuracy of the multi-head and of its single-head base; mean gate by source."""
    import numpy as np

    from training.judges import pairwise
    from training.judges.multi_head import MultiHeadJudge
    from training.measures import judge_quality

    if held_out.is_empty():
        return {}
    items = comparisons.of(held_out)
    pairs = [(item.prompt, item.chosen, item.rejected) for item in items]
    prompts = held_out.sort("pair_id")["prompt_id"].to_list()
    found = {}
    for key, path in (("accuracy", args.checkpoint), ("base_accuracy", args.reward_model)):
        chance = pairwise.load(path, engine).ask(pairs).first_wins
        found[key] = judge_quality.accuracy(judge_quality.verdicts(chance), prompts)
    judge = MultiHeadJudge(args.checkpoint, engine.batch_tokens)
    gates = judge.gates([(item.prompt, item.chosen) for item in items])
    sources = np.asarray(held_out.sort("pair_id")["source"].to_list())
    found["gate_by_source"] = {
        str(source): dict(
            zip(judge.attributes, gates[sources == source].mean(0).tolist(), strict=True)
        )
        for source in np.unique(sources)
    }
    return found


if __name__ == "__main__":
    sys.exit(main())
