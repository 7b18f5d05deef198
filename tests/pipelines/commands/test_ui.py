"""prefloop ui over real HTTP: what it refuses, what it records, and that it stops when told to."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import polars as pl
import pytest

from curation.audit.connect import open_build
from curation.review.sides import look
from pipelines.commands import ui, what_if
from pipelines.core.params import load
from pipelines.shared import reviews
from tests.conftest import ROOT
from tests.pipelines.reviewed import run_pair, write

pytest.importorskip("starlette", reason="the ui extra is not installed")


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The app as its users start it, on a free port; yields its address."""
    command = [sys.executable, "-m", "pipelines.cli", "ui", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("ui: http://127.0.0.1:"), line
        try:
            yield line.split()[1].rstrip("/")
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=300) == 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("ui")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        write(made)
    return made


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with served(folder) as found:
        yield found


def ask(
    address: str, path: str, form: dict[str, str] | None = None, **headers: str
) -> tuple[int, str]:
    """Status and body of one request; a form is posted."""
    con = http.client.HTTPConnection(urlsplit(address).netloc, timeout=300)
    body = None if form is None else urlencode(form)
    con.request("GET" if body is None else "POST", path, body, headers)
    response = con.getresponse()
    text = response.read().decode()
    con.close()
    return response.status, text


def sql(query: str) -> str:
    return "/ask?" + urlencode({"q": query})


def test_a_query_is_answered_and_downloaded(address: str) -> None:
    query = "select prompt_id, margin from pairs order by 1"
    status, page = ask(address, sql(query))
    assert (status, page.count("<tr>")) == (200, 5)
    status, text = ask(address, "/answer.csv?" + urlencode({"q": query}))
    assert text.splitlines()[:2] == ["prompt_id,margin", "calm,5.0"]


@pytest.mark.parametrize(
    "query",
    [
        "select * from read_text('/etc/hostname')",
        "copy pairs to 'stolen.csv'",
        "attach 'x.duckdb'",
        "install httpfs",
        "set enable_external_access = true",
        "select 1; select 2",
    ],
)
def test_sql_cannot_leave_the_build(address: str, folder: Path, query: str) -> None:
    status, page = ask(address, sql(query))
    assert status == 400
    assert 'role="alert"' in page
    assert 'id="answer"' not in page
    assert not (folder / "stolen.csv").exists()


def test_another_host_name_is_refused(address: str) -> None:
    assert ask(address, "/", Host="evil.example")[0] == 400


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null"])
def test_a_form_of_another_site_records_nothing(
    address: str, folder: Path, origin: str | None
) -> None:
    pair = pl.read_parquet(folder / "data/iterations/iter1/pairs.parquet")["pair_id"][0]
    form = {"pair": pair, "reviewer": "mallory", "answer": "drop"}
    headers = {} if origin is None else {"Origin": origin}
    assert ask(address, "/review", form, **headers)[0] == 403
    assert not (folder / "data/reviews/mallory.parquet").exists()


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"pair": "nowhere", "reviewer": "ann", "answer": "a"}, "this build has no such pair"),
        ({"pair": "?", "reviewer": "ann", "answer": "maybe"}, "give one of a, b, drop"),
        ({"pair": "?", "reviewer": "../ann", "answer": "a"}, "use up to 64 letters"),
    ],
)
def test_a_bad_form_is_one_line(
    address: str, folder: Path, form: dict[str, str], told: str
) -> None:
    pair = pl.read_parquet(folder / "data/iterations/iter1/pairs.parquet")["pair_id"][0]
    form = {key: pair if value == "?" else value for key, value in form.items()}
    status, page = ask(address, "/review", form, Origin=address)
    assert status == 400
    assert told in page


def test_bad_filters_and_knobs_are_told(address: str) -> None:
    assert "margin x: not a number" in ask(address, "/pairs?low=x")[1]
    assert "this build has no scores of it" in ask(address, "/what-if?iteration=../iter1")[1]
    assert "--strategy bset" in ask(address, "/what-if?iteration=iter1&strategy=bset")[1]
    assert ask(address, "/pairs?page=99999999999999")[0] == 200
    assert ask(address, "/why/nothing")[0] == 400


def test_a_reviewer_sees_the_same_order_whichever_side_is_chosen(tmp_path: Path) -> None:
    """The screen would tell which side is chosen if its order followed the table's."""
    data = write(tmp_path)

    def seen() -> dict[str, tuple[str, str, bool]]:
        con = open_build(data)
        ids = con.execute("select list(pair_id) from pairs").fetchall()[0][0]
        return {one.prompt_id: (one.a, one.b, one.a_is_chosen) for one in look(con, ids, "ann")}

    before = seen()
    build = ui.build_of(data, tmp_path / "params.yaml")
    con = open_build(data)
    for prompt in before:
        (row,) = con.execute("select pair_id from pairs where prompt_id = ?", [prompt]).fetchall()
        (pair,) = look(con, [row[0]])
        reviews.append(data / "reviews", pair.row("flip", "bob", build.now()))
    assert run_pair(tmp_path) == 0
    after = seen()
    assert {key: one[:2] for key, one in after.items()} == {
        key: one[:2] for key, one in before.items()
    }
    assert all(after[key][2] != before[key][2] for key in before)
    assert len({one[2] for one in before.values()}) == 2  # neither side is always the chosen one


def test_sliders_pair_a_share_of_a_large_table(folder: Path) -> None:
    tables = what_if.scored(folder / "data", "iter1")
    some = what_if.sampled(tables, 2)
    params = load(folder / "params.yaml")
    made, whole = some.pair(params, {}), tables.pair(params, {})
    assert some.share == 0.5
    assert made.pairs["prompt_id"].sort().to_list() == ["calm", "close"]
    assert made.pairs.equals(whole.pairs.join(made.pairs, on="pair_id", how="semi"))
    assert what_if.sampled(tables, 4).share == 1.0


def test_a_port_in_use_is_one_line(
    address: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--data", str(folder / "data"), "--params", str(folder / "params.yaml")]
    assert ui.main([*flags, "--port", address.rpartition(":")[2]]) == 2
    assert "Address already in use; give another, or 0" in capsys.readouterr().err
    assert ui.main(["--data", str(folder / "nowhere")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
