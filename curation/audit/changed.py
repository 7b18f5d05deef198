"""What else changed between the first policy and each later one, by the parts of the oracle.

A reward that rises may be bought: with shorter answers, with facts that are no longer right, with
answers that no longer speak of what was asked. These tables say so, by measure and by kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import polars as pl

from curation.audit.connect import rows
from curation.audit.paired import at_equal_length, change
from curation.core.statements import statement
from curation.mixing.shingles import normalised

START = "sft"
PLAIN = ("reward", "tokens", "chars", "similarity", "empty", "cut")
Rows = list[dict[str, Any]]
_KEYS = ["policy", "prompt_id"]


def tables(con: duckdb.DuckDBPyConnection) -> tuple[Rows, Rows]:
    """The measures of each policy against the first, and the parts by kind.

    Both are empty for a build whose oracle gives no parts, or that did not judge the first policy.

    Args:
        con: a build opened with `curation.audit.connect.open_build`.
    """
    parts = pl.DataFrame(rows(con, "select * from evaluation_parts order by all"))
    if parts.is_empty() or START not in parts["evaluated"]:
        return [], []
    found = rows(con, statement("curation.audit", "report/answers"))
    answers = pl.DataFrame(found, infer_schema_length=None)
    wide = _wide(answers, parts)
    policies = [name for name in wide["policy"].unique().sort() if name != START]
    pairs = [(name, _beside(wide, name)) for name in policies]
    names = [*(name for name in wide.columns if name.startswith("part ")), *PLAIN]
    measures = [row for name, both in pairs for row in _measures(name, both, names)]
    kinds = [row for name, both in pairs for row in _kinds(name, both, names)]
    return measures, kinds


def similarity(prompts: list[str], responses: list[str]) -> list[float]:
    """Cosine of each response and its prompt, over words weighted by how seldom they are."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = normalised(pl.Series([*prompts, *responses], dtype=pl.String)).to_list()
    try:
        found = TfidfVectorizer(token_pattern=r"\S+").fit_transform(texts)
    except ValueError:  # not a word in any text
        return [0.0] * len(prompts)
    asked, said = found[: len(prompts)], found[len(prompts) :]
    return np.asarray(asked.multiply(said).sum(axis=1)).ravel().tolist()


def _wide(answers: pl.DataFrame, parts: pl.DataFrame) -> pl.DataFrame:
    """One row per policy and prompt: its kind and the mean of every measure."""
    told = parts.with_columns(part=pl.concat_str(pl.lit("part "), "part")).pivot(
        "part", index=["evaluated", "generation_id", "kind"], values="value"
    )
    known = answers.join(
        told.rename({"evaluated": "policy"}), on=["policy", "generation_id"], how="inner"
    )
    near = similarity(known["prompt"].to_list(), known["response"].to_list())
    named = [name for name in told.columns if name.startswith("part ")]
    return (
        known.with_columns(similarity=pl.Series(near, dtype=pl.Float64))
        .group_by(*_KEYS)
        .agg(pl.col("kind").first(), pl.col(*named, *PLAIN).mean())
        .sort(_KEYS)
    )


def _beside(wide: pl.DataFrame, policy: str) -> pl.DataFrame:
    """The prompts that both answered: the policy's measures, and the first one's as NAME_before."""
    before = wide.filter(policy=START).drop("policy", "kind")
    own = wide.filter(policy=policy)
    return own.join(before, on="prompt_id", suffix="_before").sort("prompt_id")


def _measures(policy: str, both: pl.DataFrame, names: list[str]) -> Iterator[dict[str, Any]]:
    for name in names:
        known = both.drop_nulls([name, f"{name}_before"])
        if known.is_empty():
            continue
        row = {"policy": policy, "measure": name, **_compared(known, name)}
        judged = name == "reward" or name.startswith("part ")
        yield row | (_equal(known, name) if judged else {"equal": None, "equal_se_kinds": None})


def _compared(known: pl.DataFrame, name: str) -> dict[str, Any]:
    """A measure before and after, and its change."""
    after, before = known[name].to_numpy(), known[f"{name}_before"].to_numpy()
    found = change(after - before, known["kind"].to_list())
    return {
        "prompts": known.height,
        "kinds": known["kind"].n_unique(),
        "start": float(before.mean()),
        "value": float(after.mean()),
        "change": found.mean,
        "se": found.se,
        "se_kinds": found.se_kinds,
    }


def _equal(known: pl.DataFrame, name: str) -> dict[str, Any]:
    """A judged measure's change at equal length."""
    columns = (name, f"{name}_before", "tokens", "tokens_before")
    after, before, longer, shorter = (known[column].to_numpy() for column in columns)
    found = at_equal_length(after - before, longer, shorter, known["kind"].to_list())
    if found is None:
        return {"equal": None, "equal_se_kinds": None}
    return {"equal": found.mean, "equal_se_kinds": found.se_kinds}


def _kinds(policy: str, both: pl.DataFrame, names: list[str]) -> Iterator[dict[str, Any]]:
    judged = [name for name in names if name == "reward" or name.startswith("part ")]
    for (kind,), known in sorted(both.partition_by("kind", as_dict=True).items()):
        for name in judged:
            some = known.drop_nulls([name, f"{name}_before"])
            if some.height:
                row = _compared(some, name)
                del row["kinds"], row["se_kinds"]
                yield {"policy": policy, "kind": kind, "measure": name, **row}
