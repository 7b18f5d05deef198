"""prefloop bench-answers: a checkpoint's answers to AlpacaEval, MT-Bench or Arena-Hard.

The files are in the benchmark's own form.

Run: prefloop bench-answers --bench mt_bench --questions question.jsonl \\
    --checkpoint data/checkpoints/iter3 --out model_answer/iter3.jsonl

The engine is that of params.yaml. AlpacaEval's answers are drawn at evaluation.temperature,
MT-Bench's at FastChat's temperature of the category, Arena-Hard's greedily. An answer has at most
FastChat's 1024 tokens, Arena-Hard's 4096; evaluation.max_new_tokens for AlpacaEval, and where the
model's context is no longer than that. A question that leaves no room in the context has an empty
answer, and its finish_reason says over_context.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from curation.core.errors import UserError
from pipelines.core import params as parameters
from pipelines.core import stage
from pipelines.core.arguments import Arguments, option, reads, writes
from pipelines.core.params import Params
from pipelines.core.stage import Stage
from pipelines.shared import bench_files, settings, shards
from pipelines.shared.workers import Job
from training.bench.contestants import BENCHES, TOKENS, Question, dialogue, heat
from training.engines.settings import Engine

TASK = "measure judges and policies"

if TYPE_CHECKING:
    from training.bench.answering import QuestionTurn, Said
    from training.core.chat_template import ChatTemplate
    from training.engines.protocol import Sampler

_SAID = {"text": pl.String, "end": pl.String, "tokens": pl.Int64}


@dataclass(frozen=True)
class Model:
    """What answers, and how much it may say."""

    sampler: Sampler
    template: ChatTemplate
    key: tuple[object, ...]
    tokens: int
    seed: int
    shard: int


class Args(Arguments):
    """What the command reads, writes and is told."""

    questions: Path = reads()
    checkpoint: Path = reads()
    out: Path = writes()
    bench: str = option(choices=BENCHES)
    name: str | None = option(default=None, help="of the model; default: the checkpoint's folder")
    max_new_tokens: int | None = option(default=None, help="default: the benchmark's own")
    temperature: float | None = option(default=None, help="in place of the benchmark's own")
    engine: str | None = option(default=None, choices=["transformers", "vllm", "server"])
    server: str | None = option(default=None, metavar="URL", help="sample from this endpoint")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return stage.run("bench_answers", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Read the questions, answer turn by turn, write."""
    params = parameters.load(args.params)
    questions = bench_files.questions(args.bench, args.questions)
    model = _model(run, args, params)
    said = _answered(run, args, params, model, questions)
    model.sampler.close()
    name = args.name or args.checkpoint.absolute().name
    rows = [
        bench_files.written(args.bench, name, question, found)
        for question, found in zip(questions, said, strict=True)
    ]
    run.outputs.text(args.out, bench_files.text(args.bench, rows))
    run.summary.rows_in = run.summary.kept = len(questions)
    _summarise(run, model.tokens, [one for found in said for one in found])


def _tokens(args: Args, params: Params, context: int) -> int:
    """How many tokens an answer may have: the benchmark's own, if a context is longer."""
    recipe = params.evaluation.max_new_tokens
    own = TOKENS.get(args.bench, recipe)
    own = own if own < context else recipe
    tokens = own if args.max_new_tokens is None else args.max_new_tokens
    if tokens < 1 or (args.temperature is not None and args.temperature < 0):
        raise UserError("--max-new-tokens: at least 1; --temperature: at least 0")
    return tokens


def _answered(
    run: Stage, args: Args, params: Params, model: Model, questions: Sequence[Question]
) -> list[list[Said]]:
    """Each question's answers, one a turn: every turn sees the answers to those before it."""
    said: list[list[Said]] = [[] for _ in questions]
    for turn in range(max(len(question.turns) for question in questions)):
        open_ = [pair for pair in zip(questions, said, strict=True) if len(pair[0].turns) > turn]
        asked = [_asked(args, params, question, before, turn) for question, before in open_]
        answers = _drawn(run, args, model, asked, turn)
        for (_, before), answer in zip(open_, answers, strict=True):
            before.append(answer)
    return said


def _summarise(run: Stage, tokens: int, answers: Sequence[Said]) -> None:
    ends = Counter(one.end for one in answers)
    run.summary.tokens = sum(one.tokens for one in answers)
    told = ", ".join(f"{k}: {n}" for k, n in sorted(ends.items()))
    run.summary.note = f"at most {tokens} tokens an answer; answers end by {told}"


def _model(run: Stage, args: Args, params: Params) -> Model:
    from training.core import environment

    environment.prepare()
    from training.core import checkpoint
    from training.core.chat_template import ChatTemplate
    from training.engines import choose

    path, engine = args.checkpoint, _engine(args, params)
    template = ChatTemplate(checkpoint.load_tokenizer(path))
    weights = checkpoint.weights_sha(path)
    sampler = choose.sampler(engine, path)
    key = (weights, template.sha, engine.identity(), sampler.version, args.bench)
    tokens, shard = _tokens(args, params, sampler.context), params.engine.shard_prompts
    return Model(sampler, template, key, tokens, params.seeds.evaluation, shard)


def _engine(args: Args, params: Params) -> Engine:
    """The recipe's engine, with what the flags change."""
    engine = settings.engine(params)
    name = args.engine or ("server" if args.server else engine.name)
    if args.server and name != "server":
        raise UserError(f"--server: goes with --engine server, not {name}")
    server = replace(engine.server, url=args.server) if args.server else engine.server
    return replace(engine, name=name, server=server)


def _drawn(
    run: Stage, args: Args, model: Model, asked: Sequence[QuestionTurn], turn: int
) -> list[Said]:
    """The answers of one turn."""
    from training.bench.answering import OVER_CONTEXT, Said

    key = [*model.key, model.tokens, model.seed, [asdict(one) for one in asked]]
    job = Job(run.name, lambda: model, _draw, here=True)
    frame = shards.run(run, f"turn{turn + 1}", key, asked, model.shard, job=job)
    if (frame["end"] == OVER_CONTEXT).all():
        raise UserError(
            f"{args.questions}: none of {len(asked)} questions leaves room for "
            f"{model.tokens} new tokens in a context of {model.sampler.context}; "
            "lower --max-new-tokens"
        )
    return [Said(**row) for row in frame.iter_rows(named=True)]


def _asked(
    args: Args, params: Params, question: Question, said: Sequence[Said], turn: int
) -> QuestionTurn:
    from training.bench.answering import QuestionTurn

    messages = dialogue(question.turns[: turn + 1], [one.text for one in said])
    own = heat(args.bench, question, params.evaluation.temperature)
    given = args.temperature
    return QuestionTurn(str(question.key), turn, messages, own if given is None else given)


def _draw(model: Model, asked: Sequence[QuestionTurn]) -> pl.DataFrame:
    from training.bench.answering import answer

    found = answer(model.sampler, model.template, asked, model.tokens, model.seed)
    return pl.DataFrame([asdict(one) for one in found], schema=_SAID)


if __name__ == "__main__":
    sys.exit(main())
