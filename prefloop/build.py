"""A build as Python reads it: every table as a lazy frame, SQL, the life of a row, what-if."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from curation.audit import catalog, sql
from curation.audit.why import Life, explain
from curation.core.errors import UserError
from curation.core.schema import Table
from curation.core.words import meant
from curation.pairing.cut import Tables
from curation.pairing.pairs import Made, make
from curation.pairing.rules import Rules
from pipelines.core import io, params
from pipelines.shared import project
from pipelines.shared.scored import compare


@dataclass(frozen=True)
class Build:
    """The build of one project.

    Attributes:
        root: the folder of its dvc.yaml and params.yaml.
        data: the folder of its tables.
    """

    root: Path
    data: Path

    def table(self, name: str, part: str | None = None) -> pl.LazyFrame:
        """A table as a lazy frame of the columns of `schema`; of all its parts, or one.

        Args:
            name: of `tables`.
            part: the source, mix, iteration or policy whose file is meant.

        Raises:
            UserError: there is no such table or part, or a file is not as it was written.
        """
        table, files = self.schema(name), catalog.tables(self.data)[name]
        parts = [file for file in files if part in (None, file.parent.name)]
        if not parts:
            known = meant(part, {file.parent.name for file in files}) if files else "none is built"
            raise UserError(f"{name}: no part {part}; {known}")
        return pl.concat([io.scan(file, table) for file in parts])

    def tables(self) -> list[str]:
        """Names of the tables that are built."""
        return [name for name, files in catalog.tables(self.data).items() if files]

    def schema(self, name: str) -> Table:
        """A table's grain, key and columns, each with its type and meaning.

        Raises:
            UserError: there is no such table.
        """
        if name not in catalog.FILES:
            raise UserError(f"{name}: no such table; {meant(name, catalog.FILES)}")
        return catalog.FILES[name][0]

    def generations(self, iteration: str | None = None) -> pl.LazyFrame:
        """The sampled responses, of one iteration or all."""
        return self.table("generations", iteration)

    def scores(self, iteration: str | None = None) -> pl.LazyFrame:
        """Every judgement of a response, of one iteration or all."""
        return self.table("scores", iteration)

    def pairs(self, iteration: str | None = None) -> pl.LazyFrame:
        """The comparisons made of responses, of one iteration or all."""
        return self.table("pairs", iteration)

    def history(self, iteration: str | None = None) -> pl.LazyFrame:
        """What the policy of an iteration is trained on."""
        return self.table("history", iteration)

    def mixes(self, mix: str | None = None) -> pl.LazyFrame:
        """The labelled comparisons of one preference mix or all."""
        return self.table("mixes", mix)

    def prompts(self) -> pl.LazyFrame:
        """The pool of prompts."""
        return self.table("prompts")

    def rejects(self) -> pl.LazyFrame:
        """The ledger: every dropped item of every stage."""
        return self.table("rejects")

    def sql(self, query: str) -> pl.DataFrame:
        """Answer one SELECT over the views of the build, as `prefloop sql` does.

        Raises:
            UserError: it is not one SELECT, does not run, or reaches outside the build.
        """
        return sql.run(self.data, query)

    def why(self, wanted: str) -> Life:
        """Everything that happened to a row, by its id or a unique beginning of it.

        Raises:
            UserError: no table holds it, or its beginning fits several.
        """
        return explain(self.data, wanted)

    def what_if(self, iteration: str, **changed: Any) -> dict[str, Any]:
        """What another pairing of an iteration's scores would change: keys of `pairs`.

        Raises:
            UserError: a knob has a wrong value, or a table of the iteration is missing.
        """
        return compare(self.data, iteration, params.load(self.root / "params.yaml"), changed)


def open(path: str | Path = ".") -> Build:  # noqa: A001
    """The build of the project that a folder is in.

    Raises:
        UserError: no folder from there upwards has a dvc.yaml and a params.yaml.
    """
    found = project.root(Path(path).resolve())
    if found is None:
        raise UserError(f"{path}: no project here or above: no dvc.yaml with a params.yaml")
    return Build(found, found / "data")


def pair(
    generations: pl.DataFrame | pl.LazyFrame,
    scores: pl.DataFrame | pl.LazyFrame,
    prompts: pl.DataFrame | pl.LazyFrame,
    iteration: str = "iter1",
    **rules: Any,
) -> Made:
    """Pair scored responses of your own: pairs, rejects and metrics, as the stage makes them.

    Args:
        generations: columns of the generations table.
        scores: columns of the scores table.
        prompts: columns of the prompts table.
        iteration: the name that pairs and rejects carry.
        rules: fields of `curation.pairing.rules.Rules`, such as strategy or length_penalty.

    Raises:
        UserError: bad rewards, scores of unknown responses, unknown prompts, or no pair at all.
        TypeError: there is no such rule.
    """
    tables = Tables(generations.lazy(), scores.lazy(), prompts.lazy(), iteration)
    return make(tables, Rules(**rules))
