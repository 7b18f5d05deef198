"""A data set of the Hub from the tables of a build."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb

from curation.audit.connect import open_build
from curation.publish import card, croissant, facts, layout, lock, origins
from curation.publish.bundle import Bundle, Origin, Wish, reason, scan_texts, sealed, sha256
from curation.publish.licences import Combined, combine
from curation.publish.scan import Finding, scan_table

_TAGS = ["preference", "dpo", "rlhf", "online-rlhf", "trl", "prefloop"]
_CARD = "README.md"


def make(
    origin: Origin,
    wish: Wish,
    tables: Sequence[str],
    work: Path,
    say: Callable[[str], None],
) -> Bundle:
    """Lay out, licence, scan and describe the tables of a build.

    Args:
        origin: the build.
        wish: what was asked for.
        tables: names of tables or configs.
        work: a folder for files that must be written first.
        say: told each step as it starts.

    Raises:
        UserError: a table is not what dvc.lock recorded, a gate failed, or a licence forbids it.
    """
    chosen = layout.configs(origin.data, tables)
    locked = lock.load(origin.lock_file)
    outs = [origin.relative(config.file) for config in chosen]
    stages = locked.upstream(outs)
    lock.check_params(locked, stages, origin.params_file)
    say(f"{len(chosen)} configs: checking them against {origin.lock_file.name}")
    for out in outs:
        locked.verify(out)
    con = open_build(origin.data)
    try:
        facts.failed_gates(con)
        text = _text(con, chosen)
        names = {name for found in text.values() for name in found}
        stated = origins.licences(sorted(names), origin.params, origins.sampled(chosen))
        licence = combine(stated, wish.allow_unknown, wish.licence)
        say("scanning for secrets and e-mail addresses")
        findings = _scan(chosen)
        shards = [shard for config in chosen for shard in layout.shards(config, work)]
        files: dict[str, Path | bytes] = {shard.target: shard.file for shard in shards}
        told = _told(con, origin, chosen, stages)
        told |= {"params": locked.params(stages), "code": locked.code(stages)}
        told |= _terms(licence, stated, wish, text, told["all_sources"])
        files[_CARD] = (_header(chosen, told, licence) + card.render("dataset", told)).encode()
    finally:
        con.close()
    files["croissant.json"] = _croissant(wish, chosen, licence, shards)
    files["params.yaml"] = origin.params_file
    files["dvc.lock"] = origin.lock_file
    findings += scan_texts(files, (_CARD, "params.yaml", "dvc.lock"))
    return sealed(Bundle("dataset", licence, files, findings))


def _text(
    con: duckdb.DuckDBPyConnection, chosen: Sequence[layout.Config]
) -> dict[str, dict[str, int]]:
    return {config.name: origins.text_sources(con, config) for config in chosen}


def _scan(chosen: Sequence[layout.Config]) -> list[Finding]:
    found: list[Finding] = []
    for config in chosen:
        found.extend(scan_table(config.file, config.table.key[0], config.name))
    return found


def _croissant(
    wish: Wish, chosen: Sequence[layout.Config], licence: Combined, shards: Sequence[layout.Shard]
) -> bytes:
    about = croissant.About(wish.repo, _description(chosen), wish.url, licence.name or licence.id)
    hashes = {shard.target: sha256(shard.file) for shard in shards}
    return (json.dumps(croissant.describe(about, shards, hashes), indent=1) + "\n").encode()


def _description(chosen: Sequence[layout.Config]) -> str:
    rows = sum(config.rows for config in chosen)
    kinds = ", ".join(dict.fromkeys(config.kind for config in chosen))
    return f"Tables of an online iterative RLHF loop: {kinds}; {rows:,} rows."


def _header(chosen: Sequence[layout.Config], told: dict[str, Any], licence: Combined) -> str:
    from huggingface_hub import DatasetCardData  # half a second: the table stages go without

    terms: dict[str, Any] = card.licence_fields(licence)
    data = DatasetCardData(
        pretty_name=told["title"],
        size_categories=[card.size_category(sum(config.rows for config in chosen))],
        task_categories=["reinforcement-learning", "text-generation"],
        tags=_TAGS,
        source_datasets=card.hub_ids(told["all_sources"]) or None,
        configs=card.configs_field(list(chosen)),
        **terms,
    )
    return f"---\n{data.to_yaml()}\n---\n"


def _told(
    con: duckdb.DuckDBPyConnection,
    origin: Origin,
    chosen: Sequence[layout.Config],
    stages: Sequence[str],
) -> dict[str, Any]:
    """The figures of the card."""
    iterations = facts.iterations_of(chosen) & set(origin.params["iterations"])
    mixes = [config.file.parent.name for config in chosen if config.kind == "mixes"]
    names = [name.partition("@")[2] for name in stages if name.startswith("fetch@")]

    def by_iteration(query: str) -> facts.Rows:
        return facts.only(facts.shipped(con, query), "iteration", iterations)

    return {
        "configs": [_config(config) for config in chosen],
        "tables": _tables(chosen),
        "all_sources": facts.sources(con, origin.params, names),
        "iterations": by_iteration("iterations"),
        "facts": by_iteration("iteration_facts"),
        "margins": by_iteration("margin_deciles_by_iteration"),
        "lengths": _lengths(by_iteration),
        "pearson": by_iteration("length_reward_pearson"),
        "mixes": facts.only(facts.shipped(con, "mix_statistics"), "mix", mixes),
        "policies": facts.policies(con, ["sft", *iterations, "offline"]),
        "waterfall": facts.waterfall(con, stages),
        "drops": facts.drops(con, stages),
        "gates": facts.gates(con),
        "commit": origin.commit,
        "dirty": origin.dirty,
    }


def _lengths(by_iteration: Callable[[str], facts.Rows]) -> facts.Rows:
    longer = {row["iteration"]: row for row in by_iteration("chosen_longer_by_iteration")}
    return [
        longer[row["iteration"]] | row
        for row in by_iteration("pair_length_by_iteration")
        if row["iteration"] in longer
    ]


def _terms(
    licence: Combined,
    stated: dict[str, str],
    wish: Wish,
    text: dict[str, dict[str, int]],
    sources: facts.Rows,
) -> dict[str, Any]:
    """What the card says of the licence and of whose text the rows hold."""
    known = {row["source"]: row for row in sources}
    holds = [
        {"config": config, "source": name, "rows": rows, "licence": stated.get(name)}
        | {key: known.get(name, {}).get(key) for key in ("from", "revision")}
        for config, found in text.items()
        for name, rows in found.items()
    ]
    return {
        "title": wish.repo.rpartition("/")[2],
        "repo": wish.repo,
        "text_sources": holds,
        "licence": licence.name or licence.id,
        "why": reason(licence, wish.licence is not None),
        "obligations": facts.obligations(stated),
    }


def _config(config: layout.Config) -> dict[str, Any]:
    splits = ", ".join(f"{name} {rows:,}" for name, rows in config.splits.items())
    return {
        "config": config.name,
        "table": config.kind,
        "rows": config.rows,
        "splits": splits,
        "bytes": config.file.stat().st_size,
    }


def _tables(chosen: Sequence[layout.Config]) -> list[dict[str, Any]]:
    made = []
    for table in dict.fromkeys(config.table for config in chosen):
        columns = [
            {
                "column": column.name,
                "type": "messages" if "content" in str(column.dtype) else str(column.dtype),
                "null": "yes" if column.nullable else "",
                "meaning": column.doc,
            }
            for column in table.columns
        ]
        key = ", ".join(table.key)
        made.append({"name": table.name, "grain": table.grain, "key": key, "columns": columns})
    return made
