"""Judging responses into the scores table: what score, evaluate and length_bias share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from curation.core import schema
from curation.core.errors import UserError
from pipelines.core.stage import Stage
from pipelines.shared import shards
from pipelines.shared.workers import Job
from training.engines.settings import Engine

if TYPE_CHECKING:
    from training.core.sampled import Sampled
    from training.judges.reward_model import RewardModelJudge, Verdict

# generation_id, prompt, response; its sampled token ids, the hash of their template, whether cut
Answer = tuple[str, list[dict[str, str]], str, list[int] | None, str | None, bool]


class Named(Protocol):
    """What the scores table records of a judge."""

    @property
    def name(self) -> str:
        """Its name in the judge column."""
        ...

    @property
    def sha(self) -> str:
        """Hash of what it judges with."""
        ...

    @property
    def dtype(self) -> str:
        """Number type it computes in."""
        ...


def with_prompts(generations: pl.DataFrame, prompts: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Generations with their prompts' messages, by id.

    Raises:
        UserError: a response's prompt is not in the prompts table.
    """
    joined = generations.join(
        prompts.select("prompt_id", "messages", prompt_tokens="n_tokens"),
        on="prompt_id",
        how="left",
        validate="m:1",
    )
    lost = joined.filter(pl.col("messages").is_null())
    if not lost.is_empty():
        raise UserError(
            f"{path}: {lost.height} responses belong to prompts that the prompts table lacks, "
            f"such as {lost['prompt_id'][0]}; give the prompts they were sampled from"
        )
    return joined


def tokens(answers: pl.DataFrame) -> int:
    """Tokens of the answers, and of each prompt once, as the tables count them."""
    prompts = answers.unique("prompt_id")["prompt_tokens"]
    return int(answers["n_tokens"].sum()) + int(prompts.sum())


def score(
    run: Stage, judge: Path, answers: pl.DataFrame, engine: Engine, shard: int
) -> pl.DataFrame:
    """Scores of all answers under a reward model, one row each.

    Args:
        answers: generation_id, messages (the prompt) and response, at least.
        shard: prompts per shard; the responses to one prompt stay together.
    """
    from training.core import environment

    environment.prepare()
    from training.judges.reward_model import Described

    judged = Described(judge, engine)
    groups = by_prompt(answers)
    key = [judged.sha, judged.template_sha, engine.identity(), _fingerprint(answers)]
    job = Job(run.name, partial(_load, judge, engine), _judge, gpus=engine.tensor_parallel)
    return shards.run(run, "scores", key, groups, shard, job=job).select(schema.SCORES.names)


def _load(judge: Path, engine: Engine) -> RewardModelJudge:
    """The judge, loaded where it is to work."""
    from training.core import environment

    environment.prepare()
    from training.judges.reward_model import RewardModelJudge

    return RewardModelJudge(judge, engine)


def by_prompt(answers: pl.DataFrame) -> list[list[Answer]]:
    """All answers, those to one prompt together; their ids where the frame holds what was drawn."""
    ordered = answers.sort("prompt_id", "generation_id").with_columns(*_drawn(answers))
    columns = ["generation_id", "messages", "response", "token_ids", "template_sha", "cut"]
    return [
        list(group.select(columns).iter_rows())
        for group in ordered.partition_by("prompt_id", maintain_order=True)
    ]


def _drawn(answers: pl.DataFrame) -> list[pl.Expr]:
    """What a generations table tells of how its responses were drawn; nulls where it does not."""
    none = {
        column.name: pl.lit(None, dtype=column.dtype).alias(column.name)
        for column in schema.GENERATIONS.columns
        if column.name in {"token_ids", "template_sha", "finish_reason"} - set(answers.columns)
    }
    reason = none.get("finish_reason", pl.col("finish_reason"))
    return [*none.values(), reason.eq_missing("length").alias("cut")]


def sampled(answers: Sequence[Answer]) -> list[Sampled]:
    """What is known of how answers came to be."""
    from training.core.sampled import Sampled

    return [Sampled(*drawn) for *_, drawn in ((answer[:3], answer[3:]) for answer in answers)]


def _fingerprint(answers: pl.DataFrame) -> list[int]:
    """Hashes of what is to be judged; they only name a work folder."""
    ordered = answers.sort("prompt_id", "generation_id").with_columns(*_drawn(answers))
    named = ordered.select("prompt_id", "generation_id", "response", "token_ids", "cut")
    return named.hash_rows().to_list()


def _judge(judge: RewardModelJudge, groups: Sequence[list[Answer]]) -> pl.DataFrame:
    answers = [answer for group in groups for answer in group]
    items = [(prompt, response) for _, prompt, response, *_ in answers]
    verdicts = judge.judge(items, sampled(answers))
    return rows(judge, judge.template.sha, [answer[0] for answer in answers], verdicts)


def rows(
    judge: Named, template_sha: str, ids: Sequence[str], verdicts: Sequence[Verdict]
) -> pl.DataFrame:
    """One judge's verdicts as rows of the scores table."""
    return pl.DataFrame(
        {
            "generation_id": ids,
            "judge": judge.name,
            "reward": [verdict.reward for verdict in verdicts],
            "reason": [verdict.reason for verdict in verdicts],
            "judge_sha": judge.sha,
            "template_sha": template_sha,
            "dtype": judge.dtype,
        },
        schema=schema.SCORES.polars,
    )


def metrics(scores: pl.DataFrame, generations: pl.DataFrame) -> dict[str, Any]:
    """Reward statistics; those within a prompt are means over prompts."""
    rated = scores.join(
        generations.select("generation_id", "prompt_id", "n_chars"), on="generation_id"
    ).drop_nulls("reward")
    by_prompt = rated.group_by("prompt_id").agg(
        n=pl.len(),
        best=pl.col("reward").max(),
        tied=(pl.col("reward") == pl.col("reward").max()).sum() > 1,
        pearson=_pearson("reward", "n_chars"),
    )
    return {
        "responses": scores.height,
        "nulls": scores["reward"].null_count(),
        "nulls_by_reason": reasons(scores),
        "mean_reward": rated["reward"].mean(),
        "std_reward": rated["reward"].std(),
        "best_of_n_reward": by_prompt["best"].mean(),
        # At most this far, in nats, is best-of-n from the policy it picks from (arXiv 2401.01879).
        "best_of_n_kl_bound": (by_prompt["n"].log() - 1 + 1 / by_prompt["n"]).mean(),
        "tie_rate": by_prompt["tied"].mean(),
        "within_prompt_pearson": by_prompt["pearson"].fill_nan(None).mean(),
    }


def reasons(scores: pl.DataFrame) -> dict[str, int]:
    """How many rewards are null for each reason, told by what stands before its first colon."""
    kinds = scores.filter(pl.col("reward").is_null())["reason"].str.split(":").list.first()
    return dict(kinds.fill_null("no reason given").value_counts().sort("reason").iter_rows())


def _pearson(one: str, other: str) -> pl.Expr:
    """Pearson's correlation within a group; null where either column does not vary."""
    vary = [pl.col(name).max() > pl.col(name).min() for name in (one, other)]
    return pl.when(pl.all_horizontal(vary)).then(pl.corr(one, other))
