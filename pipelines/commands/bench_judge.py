"""prefloop bench-judge: an LLM judge's verdicts on such answers.

Run: prefloop bench-judge --bench alpaca_eval --questions alpaca_eval.json --answers iter3.json \\
    --baseline gpt4_1106_preview.json --server http://127.0.0.1:8000/v1 --model JUDGE \\
    --out annotations.json

Then `prefloop alpaca-eval`, `mt-bench` or `arena-hard` on the file it writes. The pairwise
benchmarks are asked in both orders. A judgment that fails is null with the reason, never left out.
Questions are templates under recipes/judges/; the API key comes from the variable that
--api-key-env names. Replies are kept until all are there: a stopped run goes on where it was.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from pydantic import ValidationError

from curation.core.errors import UserError
from pipelines.core import params as parameters
from pipelines.core import stage
from pipelines.core.arguments import Arguments, option, reads, writes
from pipelines.core.params import Params
from pipelines.core.params.judges import Served, Server
from pipelines.core.stage import Stage
from pipelines.shared import bench_files, shards
from pipelines.shared.workers import Job
from training.bench.contestants import BENCHES, PAIRWISE, Question

TASK = "measure judges and policies"

if TYPE_CHECKING:
    from training.bench.judging import Bout
    from training.engines.endpoint import Client
    from training.judges.llm import Chat, Reply
    from training.judges.template import Template

RECIPES = Path("recipes/judges")
SCORER = {bench: bench.replace("_", "-") for bench in BENCHES}
_SHARD = 64  # questions whose replies are kept together
_REPLIES = {"text": pl.String, "value": pl.Float64, "reason": pl.String}


@dataclass(frozen=True)
class Panel:
    """The judge, how it is asked, and a name for all that decides its replies."""

    client: Client
    chat: Chat
    key: tuple[object, ...]


class Args(Arguments):
    """What the command reads, writes and is told."""

    questions: Path = reads()
    answers: Path = reads()
    baseline: Path | None = reads(default=None)
    template: Path | None = reads(default=None)
    reference_template: Path | None = reads(default=None)
    out: Path = writes()
    bench: str = option(choices=BENCHES)
    server: str = option(metavar="URL", help="the judge's, with /v1")
    model: str = option(help="name it is served under")
    api_key_env: str | None = option(
        default=None, metavar="NAME", help="variable that holds the API key"
    )
    concurrency: int = option(default=16, help="requests in flight at once")
    timeout: float = option(default=120.0, help="seconds one try may take")
    retries: int = option(default=5, help="further tries after the first")
    temperature: float = option(default=0.0)
    max_tokens: int = option(default=2048, help="of a reply")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return stage.run("bench_judge", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Read, ask, write the judgments."""
    params = parameters.load(args.params)
    _independent(params, args.model)
    questions = bench_files.questions(args.bench, args.questions)
    bout, panel = _prepared(run, args, params, questions)
    replies = _replies(run, bout, panel, questions)
    from training.bench import judging

    rows: list[dict[str, Any]] = []
    for question, found in zip(questions, replies, strict=True):
        rows += judging.rows(bout, question, found)
    run.outputs.text(args.out, bench_files.text(args.bench, rows))
    both = [judging.flipped(bout, found) for found in replies]
    _summarise(run, args, [reply for found in replies for reply in found], sum(both))


def _summarise(run: Stage, args: Args, replies: Sequence[Reply], flipped: int) -> None:
    """Count what failed, and why the first did.

    Raises:
        UserError: none gave a verdict.
    """
    failed = [reply.result for reply in replies if isinstance(reply.result, str)]
    if len(failed) == len(replies):
        raise UserError(f"none of {len(replies)} judgments gave a verdict, the first: {failed[0]}")
    run.summary.rows_in, run.summary.rejected = len(replies), len(failed)
    run.summary.kept = len(replies) - len(failed)
    notes = [f"first failure: {failed[0]}"] if failed else []
    if args.bench in PAIRWISE:
        notes.append(f"{flipped} verdicts follow the place, not the answer")
    notes.append(f"score with: prefloop {SCORER[args.bench]} {args.out}")
    run.summary.note = "; ".join(notes)


def _independent(params: Params, model: str) -> None:
    """Refuse a judge that labels this recipe's pairs: it would grade its own taste."""
    if params.scoring.reward_model != "panel":
        return
    for name, section in params.judges.items():
        if isinstance(section, Served) and section.server.model == model:
            raise UserError(
                f"--model {model}: judges.{name} labels this recipe's pairs with it; "
                "evaluate with another model"
            )


def _prepared(
    run: Stage, args: Args, params: Params, questions: Sequence[Question]
) -> tuple[Bout, Panel]:
    from training.bench.judging import Bout
    from training.engines.endpoint import Client, Endpoint
    from training.judges.llm import Chat

    pairwise = args.bench in PAIRWISE
    if pairwise != (args.baseline is not None):
        told = "give the baseline's answers" if pairwise else "mt_bench has none; leave it out"
        raise UserError(f"--baseline: {told}")
    if args.reference_template and pairwise:
        raise UserError("--reference-template: only mt_bench has reference answers")
    plain = args.template or RECIPES / f"{args.bench}.yaml"
    template, sha = _template(plain, args.bench)
    referred, referred_sha = (None, "")
    if not pairwise:
        path = args.reference_template or RECIPES / "mt_bench_reference.yaml"
        referred, referred_sha = _template(path, args.bench)
    answers = bench_files.answers(args.bench, args.answers, questions)
    other = bench_files.answers(args.bench, args.baseline, questions) if args.baseline else None
    bout = Bout(args.bench, args.model, template, answers, other, referred)
    chat = Chat(args.temperature, args.max_tokens, params.seeds.evaluation)
    key = (sha, referred_sha, args.model, chat.temperature, chat.max_tokens, chat.seed)
    return bout, Panel(Client(Endpoint(**_server(args).model_dump())), chat, key)


def _server(args: Args) -> Server:
    """The flags of the endpoint, checked as params.yaml's are."""
    try:
        return Server(
            url=args.server, model=args.model, api_key_env=args.api_key_env,
            concurrency=args.concurrency, timeout=args.timeout, retries=args.retries,
        )  # fmt: skip
    except ValidationError as error:
        first = error.errors()[0]
        flag = str(first["loc"][0]).replace("url", "server").replace("_", "-")
        raise UserError(f"--{flag} {first['input']}: {first['msg']}") from error


def _template(path: Path, bench: str) -> tuple[Template, str]:
    """A template that suits the benchmark, and its hash."""
    from training.bench.judgments import VERDICTS
    from training.judges import template

    found, sha = template.load(path)
    kind = "pairwise" if bench in PAIRWISE else "rating"
    if found.kind != kind:
        raise UserError(f"{path}: kind: {found.kind}; {bench} needs {kind}")
    if bench == "arena_hard" and (found.weighted or not set(found.labels) <= set(VERDICTS)):
        raise UserError(f"{path}: labels: arena_hard knows {', '.join(VERDICTS)}")
    return found, sha


def _replies(
    run: Stage, bout: Bout, panel: Panel, questions: Sequence[Question]
) -> list[list[Reply]]:
    """Replies by question, in the order of its asks."""
    from training.bench import judging
    from training.judges.llm import Reply

    asked = [judging.asks(bout, question) for question in questions]
    # even shards: a small last one could hold nothing but failures, which ends the run
    size = -(-len(asked) // -(-len(asked) // _SHARD))
    key = [*panel.key, [[messages for _, messages in asks] for asks in asked]]
    job = Job(run.name, lambda: panel, _ask, here=True)
    frame = shards.run(run, "replies", key, asked, size, job=job)
    rows = frame.select(*_REPLIES).iter_rows()
    replies = (Reply(text, reason if value is None else value) for text, value, reason in rows)
    return [[next(replies) for _ in asks] for asks in asked]


def _ask(panel: Panel, part: Sequence[Sequence[Any]]) -> pl.DataFrame:
    from training.judges import llm

    found = llm.ask(panel.client, panel.chat, [one for asks in part for one in asks])
    rows = [
        (one.text, None, one.result)
        if isinstance(one.result, str)
        else (one.text, one.result, None)
        for one in found
    ]
    return pl.DataFrame(rows, schema=_REPLIES, orient="row")


if __name__ == "__main__":
    sys.exit(main())
