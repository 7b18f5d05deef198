"""Whose text a table holds: the sources of its rows, and the licences that follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import duckdb

from curation.audit.connect import rows
from curation.publish.layout import Config

_MODEL_WRITES = ("pairs", "generations", "history")  # their responses are a policy's

_BY_COLUMN = "select source, count(*) as n from {view} {where} group by source order by source"
_BY_PROMPT = """
select coalesce(m.source, p.source) as source, count(*) as n
from {view} as t
left join prompts as p on t.prompt_id = p.prompt_id
left join (select distinct pair_id, source from preferences) as m
    on t.{pair_id} = m.pair_id
{where}
group by all order by source
"""
# Configs of these tables hold ids and numbers only, and so nobody's text.
_NO_TEXT = ("scores", "reference")


def text_sources(con: duckdb.DuckDBPyConnection, config: Config) -> dict[str, int]:
    """Source name -> rows of the config that hold its text."""
    if config.kind in _NO_TEXT:
        return {}
    folder = config.file.parent.name
    if config.kind in ("pairs", "generations", "history"):
        pair_id = "generation_id" if config.kind == "generations" else "pair_id"
        column = "trains" if config.kind == "history" else "iteration"
        query = _BY_PROMPT.format(view=config.kind, pair_id=pair_id, where=f"where t.{column} = ?")
        found = rows(con, query, [folder])
    elif config.kind in ("mixes", "preferences"):
        column = "mix" if config.kind == "mixes" else "source"
        query = _BY_COLUMN.format(view=config.kind, where=f"where {column} = ?")
        found = rows(con, query, [folder])
    else:
        found = rows(con, _BY_COLUMN.format(view=config.kind, where=""))
    return {row["source"] or "unknown source": row["n"] for row in found}


def licences(sources: Iterable[str], params: Mapping[str, Any], sampled: bool) -> dict[str, str]:
    """Source name -> licence, as the recipe states it; a base model from elsewhere is one more.

    Args:
        sources: names of the sources whose text is published.
        params: params.yaml as plain dicts.
        sampled: whether responses of a policy are among the rows.
    """
    stated = params["sources"]
    found = {name: stated.get(name, {}).get("license", "unknown") for name in sources}
    if sampled and params["base"].get("uri"):
        found["base"] = params["base"].get("license", "unknown")
    return found


def sampled(configs: Iterable[Config]) -> bool:
    """Whether some config holds responses that a policy wrote."""
    return any(config.kind in _MODEL_WRITES for config in configs)
