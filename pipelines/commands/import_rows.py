"""prefloop import: bring ready-made generations or scores into an iteration's tables.

    prefloop import generations --from rows.jsonl --iteration iter1
    prefloop import scores --from rows.jsonl --iteration iter1 --judge my_judge

FILE is Parquet, Arrow, JSON of any form, CSV or TSV, packed or not. Columns, the first name that
a row has counts; --map FIELD=COLUMN names another:
  prompt         prompt, messages, context_messages, instruction, question: a text, or messages that
                 end with a user's; system (system_prompt) and history beside it are its turns
  response       response, output, completion, answer, generation: a text or messages;
                 responses, all_generated_responses: a list of texts
  reward         reward, score, preference, rating; rewards, scores, all_rm_scores: a list
  optional       policy (generator, model), sample, temperature; finish_reason: stop or length, in
                 any server's words
Scores find their response by generation_id, or by prompt, response and policy.

Prompts must be of the pool; --new-prompts FILE makes a prompts table of the file's own instead.
What cannot be used is in import_KIND_rejects.parquet, with the rule that dropped it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import polars as pl

from curation.core import schema
from curation.core.errors import UserError
from curation.core.tokens import counter
from curation.user_rows import accounted
from curation.user_rows.parse import ALIASES, Parsed, parse
from pipelines.core import io, stage
from pipelines.core.arguments import Arguments, foreach, option, reads
from pipelines.core.stage import Stage
from pipelines.shared import draws, judging, user_rows

TASK = "build"


class Args(Arguments):
    """What the command reads, writes and is told."""

    from_: tuple[Path, ...] = reads()
    what: str = option(positional=True, choices=("generations", "scores"))
    iteration: str = foreach()
    data: Path = option(default=Path("data"), metavar="FOLDER")
    map: tuple[str, ...] = option(default=(), metavar="FIELD=COLUMN")
    policy: str = option(default="imported", help="where a row names none")
    judge: str | None = option(default=None, help="name of the judge whose scores these are")
    prompts: Path | None = option(default=None, metavar="FILE", help="the pool to look prompts up")
    new_prompts: Path | None = option(
        default=None, metavar="FILE", help="write a pool here instead"
    )
    tokenizer: Path | None = option(
        default=None, metavar="FILE", help="tokenizer.json, for n_tokens"
    )
    control: Path | None = option(
        default=None, metavar="FILE", help="control_tokens.json: rows that spell one are rejects"
    )
    replace: bool = option(default=False, help="overwrite rows that are there")

    def outputs(self) -> list[Path]:
        """One import at a time may write into an iteration."""
        return [self.data / "iterations" / self.iteration]

    def inputs(self) -> list[Path]:
        """The files that are brought in."""
        return list(self.from_)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return stage.run("import", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Parse the files, join them to what is there, write tables, ledger and counts."""
    folder = args.data / "iterations" / args.iteration
    name = f"import_{args.what}@{args.iteration}"
    rows = chain.from_iterable(user_rows.read(file) for file in args.from_)
    parsed = parse(rows, _mapping(args.map), name, keyed=args.what == "scores")
    write = _generations if args.what == "generations" else _scores
    used, dropped = write(run, args, folder, parsed, name)
    rejects = pl.concat([parsed.rejects, dropped])
    run.outputs.table(folder / f"import_{args.what}_rejects.parquet", schema.REJECTS, rejects)
    rules = dict(rejects["rule"].value_counts().sort("rule").iter_rows())
    counts = {"rows": parsed.rows, "responses": used, "rejected": rejects.height, "rules": rules}
    run.outputs.json(folder / f"import_{args.what}.json", counts)
    run.summary.rows_in = used + rejects.height
    run.summary.kept, run.summary.rejected = used, rejects.height
    run.summary.note = ", ".join(f"{rule} {count}" for rule, count in rules.items())


def _mapping(given: Sequence[str]) -> dict[str, str]:
    result = {}
    for pair in given:
        field, _, column = pair.partition("=")
        if field not in ALIASES or not column:
            raise UserError(f"--map {pair}: give FIELD=COLUMN; fields: {', '.join(ALIASES)}")
        result[field] = column
    return result


def _generations(
    run: Stage, args: Args, folder: Path, parsed: Parsed, name: str
) -> tuple[int, pl.DataFrame]:
    target = folder / "generations.parquet"
    if target.exists() and not args.replace:
        raise UserError(f"{target}: is there already; give --replace to overwrite it")
    tokens = _tokens(args)
    if args.new_prompts is not None:
        pool = accounted.prompts(parsed.frame, tokens)
        run.outputs.table(args.new_prompts, schema.PROMPTS, pool)
    else:
        pool = io.read(_pool(args), schema.PROMPTS)
    made, dropped = accounted.generations(
        parsed.frame, pool, args.policy, name, tokens, control=_control(args)
    )
    _some(made, parsed, dropped, args)
    run.outputs.table(target, schema.GENERATIONS, made)
    run.outputs.table(folder / "generate_rejects.parquet", schema.REJECTS, schema.REJECTS.empty())
    counts = {"rows_in": made["prompt_id"].n_unique(), "rejected": 0}
    counts["kept"] = counts["rows_in"]
    run.outputs.json(folder / "generate.json", counts | draws.metrics(made))
    assert made.height + dropped.height == parsed.frame.height, "a row was lost"
    return made.height, dropped


def _scores(
    run: Stage, args: Args, folder: Path, parsed: Parsed, name: str
) -> tuple[int, pl.DataFrame]:
    if not args.judge:
        raise UserError("give --judge NAME: whose scores these are")
    table = io.read(folder / "generations.parquet", schema.GENERATIONS)
    judge = (args.judge, user_rows.sha(args.from_))
    made, dropped = accounted.scores(parsed.frame, table, judge, name)
    told = made.filter(pl.col("reason").ne_missing("no usable score in the file"))
    _some(told, parsed, dropped, args)
    target = folder / "scores.parquet"
    parts = [made]
    if target.exists():
        parts.append(_others(target, table, args))
    every = pl.concat(parts)
    run.outputs.table(target, schema.SCORES, every)
    figures = {
        str(part["judge"][0]): judging.metrics(part, table)
        for part in every.partition_by("judge", maintain_order=True)
    }
    run.outputs.json(folder / "score.json", figures)
    return told.height, dropped


def _others(target: Path, table: pl.DataFrame, args: Args) -> pl.DataFrame:
    """Scores of other judges that are there, of responses that are still there."""
    have = io.read(target, schema.SCORES)
    if args.judge in have["judge"] and not args.replace:
        raise UserError(f"{target}: holds scores of {args.judge}; give --replace to overwrite them")
    others = have.filter(pl.col("judge") != args.judge)
    stray = others.join(table, on="generation_id", how="anti").height
    if stray and not args.replace:
        raise UserError(f"{target}: {stray} scores of responses that are gone; give --replace")
    return others.join(table, on="generation_id", how="semi")


def _some(made: pl.DataFrame, parsed: Parsed, dropped: pl.DataFrame, args: Args) -> None:
    """Refuse to write nothing; say what the file has and which rules dropped its rows."""
    if not made.is_empty():
        return
    rules = pl.concat([parsed.rejects, dropped])["rule"].value_counts().sort("rule").iter_rows()
    told = ", ".join(f"{rule} {count}" for rule, count in rules) or "it holds no row"
    raise UserError(
        f"{args.from_[0]}: no row is usable ({told}); its columns are "
        f"{', '.join(parsed.columns) or 'none'}; see prefloop import --help for --map"
    )


def _pool(args: Args) -> Path:
    return Path(args.prompts or args.data / "prompts" / "prompts.parquet")


def _control(args: Args) -> list[str]:
    """What begins and ends turns in the recipe's template, where the base stage has told it."""
    default = args.data / "checkpoints" / "control_tokens.json"
    path = args.control or (default if default.is_file() else None)
    return [] if path is None else list(io.read_json(path)["turns"])


def _tokens(args: Args) -> accounted.Count | None:
    default = args.data / "checkpoints" / "base" / "tokenizer.json"
    path = args.tokenizer or (default if default.is_file() else None)
    if path is None:
        print("import: no tokenizer (--tokenizer): n_tokens is 0, lengths count characters")
        return None
    return counter(path)


if __name__ == "__main__":
    sys.exit(main())
