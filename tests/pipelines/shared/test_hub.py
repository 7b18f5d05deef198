"""fetch from hf:// over real HTTP: what it records, and one line for whatever goes wrong."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from tests.pipelines.front import GOOD, lines
from tests.pipelines.shared.hub_server import HubServer

SET = "org/set"
FIRST, SECOND = lines(GOOD), lines({**GOOD, "prompt": "p"}, {**GOOD, "prompt": "r"})


@pytest.fixture(scope="module")
def hub() -> Iterator[HubServer]:
    with HubServer() as server:
        yield server


@pytest.fixture
def fresh(hub: HubServer) -> HubServer:
    """The server with one repository of two files and a README, and no fault."""
    hub.repos.clear()
    hub.cuts.clear()
    hub.token = None
    hub.commit(SET, {"data/a.jsonl": FIRST, "data/b b.jsonl": SECOND, "README.md": b"# A set"})
    return hub


def online() -> dict[str, str]:
    """This process's environment; the model tests of the same worker switch the hub off in it."""
    return {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}


def fetch(
    root: Path, url: str, uri: str, revision: str | None = "main", pins: Any = None, **env: str
) -> subprocess.CompletedProcess[str]:
    """The fetch stage as a process, with a cache of its own."""
    (root / "pins.json").write_text(json.dumps(pins or {}))
    whole = yaml.safe_load(Path("recipes/sample.yaml").read_text())
    source = {"kind": "preference", "format": "strings", "path": str(root / "pins.json")}
    whole["sources"]["odd"] = {**source, "uri": uri, "revision": revision, "filters": []}
    (root / "params.yaml").write_text(yaml.safe_dump(whole))
    told = ["--source", "odd", "--params", str(root / "params.yaml")]
    out = ["--native", str(root / "n.parquet"), "--rejects", str(root / "r.parquet")]
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pipelines.stages.fetch",
            *told,
            *out,
            "--manifest",
            str(root / "m.json"),
        ],
        env={**online(), "HF_ENDPOINT": url, "HF_HOME": str(root / "home"), **env},
        capture_output=True,
        text=True,
        check=False,
    )


def pin(root: Path, url: str, *names: str) -> subprocess.CompletedProcess[str]:
    """prefloop pin, with the parameters that `fetch` wrote."""
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "pin", *names, "--params", root / "params.yaml"],
        env={**online(), "HF_ENDPOINT": url, "HF_HOME": str(root / "home")},
        capture_output=True,
        text=True,
        check=False,
    )


def refused(done: subprocess.CompletedProcess[str], *said: str) -> None:
    """Exit code 2 and one line that holds every part."""
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for part in said:
        assert part in done.stderr


def test_the_commit_and_the_hashes_of_the_files_are_recorded(
    fresh: HubServer, tmp_path: Path
) -> None:
    sha = fresh.repos["datasets", SET].refs["main"]
    done = fetch(tmp_path, fresh.url, f"hf://{SET}/data/*.jsonl")
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "m.json").read_text())
    assert (manifest["commit"], manifest["revision"]) == (sha, "main")
    assert manifest["files"] == [
        {"path": path, "sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}
        for path, body in (("data/a.jsonl", FIRST), ("data/b b.jsonl", SECOND))
    ]
    assert set(pl.read_parquet(tmp_path / "n.parquet")["prompt"]) == {"q", "p", "r"}


def test_a_commit_stays_what_it_is_when_its_branch_moves_on(
    fresh: HubServer, tmp_path: Path
) -> None:
    first = fresh.repos["datasets", SET].refs["main"]
    fresh.commit(SET, {"data/a.jsonl": SECOND})
    for revision in (first, f"{first}@{first}"):
        assert fetch(tmp_path, fresh.url, f"hf://{SET}/data/a.jsonl", revision).returncode == 0
        assert pl.read_parquet(tmp_path / "n.parquet").height == 1
    done = fetch(tmp_path, fresh.url, f"hf://{SET}@main/data/a.jsonl", None)
    assert done.returncode == 0, done.stderr
    assert pl.read_parquet(tmp_path / "n.parquet").height == 2


def test_a_pinned_branch_or_tag_that_has_moved_is_one_line(
    fresh: HubServer, tmp_path: Path
) -> None:
    repo = fresh.repos["datasets", SET]
    first = repo.refs["main"]
    repo.refs["v1"] = first
    second = fresh.commit(SET, {"data/a.jsonl": SECOND})
    told = f"is pinned to {first}, but has moved to {second}"
    uri = f"hf://{SET}/data/a.jsonl"
    refused(fetch(tmp_path, fresh.url, uri, f"main@{first}"), f"main of {SET} {told}")
    refused(fetch(tmp_path, fresh.url, uri, "main", {"odd": first}), told)
    assert fetch(tmp_path, fresh.url, uri, "v1", {"odd": first}).returncode == 0
    repo.refs["v1"] = second
    earlier = (tmp_path / "n.parquet").read_bytes()
    refused(fetch(tmp_path, fresh.url, uri, "v1", {"odd": first}), f"v1 of {SET} {told}")
    assert (tmp_path / "n.parquet").read_bytes() == earlier


def test_what_is_not_there_is_named(fresh: HubServer, tmp_path: Path) -> None:
    missing = fetch(tmp_path, fresh.url, f"hf://{SET}/data/none.jsonl")
    refused(missing, "sources.odd.uri", "has no file data/none.jsonl")
    refused(fetch(tmp_path, fresh.url, "hf://org/none/a.jsonl"), "org/none@main: no such repo")
    refused(fetch(tmp_path, fresh.url, f"hf://{SET}/a", "v9"), f"{SET}@v9: the repository has no")
    refused(fetch(tmp_path, fresh.url, f"hf://{SET}/a", None), "sources.odd.revision: pin a commit")


def test_a_private_set_asks_for_a_token_and_takes_one(fresh: HubServer, tmp_path: Path) -> None:
    fresh.token = "secret"
    uri = f"hf://{SET}/data/a.jsonl"
    refused(fetch(tmp_path, fresh.url, uri), "access refused (401)", "HF_TOKEN")
    assert fetch(tmp_path, fresh.url, uri, HF_TOKEN="secret").returncode == 0


def test_a_dropped_connection_and_a_dead_server_are_one_line_each(
    fresh: HubServer, tmp_path: Path
) -> None:
    fresh.cuts["data/a.jsonl"] = 10
    dropped = fetch(tmp_path, fresh.url, f"hf://{SET}/data/a.jsonl")
    refused(dropped, f"sources.odd.uri: {SET}/data/a.jsonl", "closed connection")
    assert not list(tmp_path.glob("*.parquet"))
    dead = fetch(tmp_path, "http://127.0.0.1:9", f"hf://{SET}/data/a.jsonl")
    refused(dead, "Connection refused; try again")


def test_pin_records_the_commit_and_fetch_holds_the_branch_to_it(
    fresh: HubServer, tmp_path: Path
) -> None:
    uri, first = f"hf://{SET}/data/a.jsonl", fresh.repos["datasets", SET].refs["main"]
    assert fetch(tmp_path, fresh.url, uri, pins={"other": "kept"}).returncode == 0
    done = pin(tmp_path, fresh.url)
    assert (done.returncode, done.stdout) == (0, f"odd: {first}\n"), done.stderr
    pins = json.loads((tmp_path / "pins.json").read_text())
    assert pins == {"odd": first, "other": "kept"}
    fresh.commit(SET, {"data/a.jsonl": SECOND})
    refused(fetch(tmp_path, fresh.url, uri, pins=pins), "has moved to", "prefloop pin odd")
    assert pin(tmp_path, fresh.url, "odd").returncode == 0
    pins = json.loads((tmp_path / "pins.json").read_text())
    assert fetch(tmp_path, fresh.url, uri, pins=pins).returncode == 0
    refused(pin(tmp_path, fresh.url, "hh_rlhf"), "sources.hh_rlhf: has no uri")
    fresh.repos.clear()
    refused(pin(tmp_path, fresh.url), "no such repository")
    assert json.loads((tmp_path / "pins.json").read_text()) == pins
