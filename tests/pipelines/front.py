"""fetch and standardize of one source, as commands, on a file that a test writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from pipelines.stages import fetch, standardize

GOOD = {"prompt": "q", "chosen": "x", "rejected": "y"}


class Front:
    """fetch and standardize of one strings source under a copy of the shipped parameters."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.whole = yaml.safe_load(Path("recipes/sample.yaml").read_text())

    def fetch(self, file: Path, **more: Any) -> int:
        source = {"kind": "preference", "format": "strings", "path": str(file), "filters": []}
        self.whole["sources"]["odd"] = {**source, "filters": ["structural"], **more}
        params = self.root / "params.yaml"
        params.write_text(yaml.safe_dump(self.whole, sort_keys=False))
        self.common = ["--source", "odd", "--params", str(params), "--native", self.at("n.parquet")]
        out = ["--rejects", self.at("fr.parquet"), "--manifest", self.at("fetch.json")]
        return fetch.main([*self.common, *out])

    def standardize(self, *more: str) -> int:
        out = ["--table", self.at("t.parquet"), "--rejects", self.at("r.parquet")]
        return standardize.main([*self.common, *out, "--metrics", self.at("m.json"), *more])

    def at(self, name: str) -> str:
        return str(self.root / name)

    def rules(self, name: str = "fr.parquet") -> list[str]:
        return sorted(pl.read_parquet(self.at(name))["rule"].to_list())

    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(Path(self.at("fetch.json")).read_text())
        return found


def lines(*rows: Any) -> bytes:
    made = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    return b"\n".join(made) + b"\n"


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def one_line(capsys: pytest.CaptureFixture[str], *said: str) -> None:
    error = capsys.readouterr().err
    assert error.count("\n") == 1, error
    for part in said:
        assert part in error
