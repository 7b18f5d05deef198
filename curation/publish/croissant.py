"""Croissant metadata (MLCommons Croissant 1.0, JSON-LD) of a published data set.

Plain dicts: the reference library reads them in the tests, so publishing does not need it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from curation.core.schema import MESSAGES, Column
from curation.publish.layout import Shard

CITATION = "Dong et al., RLHF Workflow: From Reward Modeling to Online RLHF, arXiv 2405.07863, 2024"
_TERMS = (
    *("citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject"),
    *("fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField"),
    *("path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate"),
    *("separator", "source", "subField", "transform"),
)
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{name: f"cr:{name}" for name in _TERMS},
}
_TYPES: dict[Any, str] = {
    pl.String: "sc:Text",
    pl.Int64: "sc:Integer",
    pl.UInt64: "sc:Integer",
    pl.Float64: "sc:Float",
    pl.Boolean: "sc:Boolean",
}


@dataclass(frozen=True)
class About:
    """The data set as a whole: its id on the Hub, a sentence, its address, its licence."""

    repo: str
    description: str
    url: str
    licence: str


def describe(about: About, shards: Sequence[Shard], hashes: Mapping[str, str]) -> dict[str, Any]:
    """The metadata: one file object and one record set per Parquet file.

    Args:
        about: what the whole is.
        shards: the Parquet files.
        hashes: target path -> sha256 of the file.
    """
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": about.repo.rpartition("/")[2],
        "description": about.description,
        "url": about.url,
        "license": about.licence,
        "version": "1.0.0",
        "citeAs": CITATION,
        "isLiveDataset": False,
        "distribution": [_file(shard, hashes[shard.target]) for shard in shards],
        "recordSet": [_records(shard) for shard in shards],
    }


def _file(shard: Shard, sha256: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": shard.target,
        "name": shard.target,
        "contentUrl": shard.target,  # relative to this file: it holds in every copy of the set
        "encodingFormat": "application/x-parquet",
        "sha256": sha256,
    }


def _records(shard: Shard) -> dict[str, Any]:
    table = shard.config.table
    name = shard.target.removeprefix("data/").removesuffix(".parquet")
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": f"{table.grain} Split {shard.split} of {shard.config.name}.",
        "key": [{"@id": f"{name}/{column}"} for column in table.key],
        "field": [_field(name, shard.target, column) for column in table.columns],
    }


def _field(records: str, file: str, column: Column) -> dict[str, Any]:
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{records}/{column.name}",
        "name": column.name,
        "description": column.doc,
    }
    source = {"fileObject": {"@id": file}, "extract": {"column": column.name}}
    if column.dtype == MESSAGES:
        parts = [_part(field["@id"], source, part) for part in ("role", "content")]
        return field | {"repeated": True, "subField": parts}
    inner = column.dtype.inner if isinstance(column.dtype, pl.List) else column.dtype
    repeated = {"repeated": True} if isinstance(column.dtype, pl.List) else {}
    return field | repeated | {"dataType": _TYPES[inner], "source": source}


def _part(field: str, source: Mapping[str, Any], part: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{field}/{part}",
        "name": part,
        "dataType": "sc:Text",
        "source": {**source, "transform": {"jsonPath": f"$[*].{part}"}},
    }
