"""The tiny build as a fixture, and open connections to it that all reading tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from curation.audit.connect import open_build
from tests.curation.audit.tiny import write_build


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A tiny build's data folder."""
    return write_build(tmp_path / "data")


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """The data folder of a build in which nothing has run."""
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """An open connection to the tiny build."""
    with open_build(write_build(tmp_path_factory.mktemp("full") / "data")) as con:
        yield con


@pytest.fixture(scope="session")
def none(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """An open connection to a build in which nothing has run."""
    with open_build(tmp_path_factory.mktemp("none")) as con:
        yield con
