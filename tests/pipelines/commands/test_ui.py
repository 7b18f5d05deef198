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
from pipelines.commands import ui
from pipelines.core.params import load
from pipelines.shared import reviews, scored
from tests.conftest import ROOT
from tests.pipelines.reviewed import run_pair, write

pytest.importorskip("starlette", reason="the ui extra is not installed")


TOKENS: dict[str, str] = {}  # address -> token of the link that was printed


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
            address, _, token = line.split()[1].partition("/?token=")
            TOKENS[address] = token
            yield address
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


def cookie(address: str) -> str:
    """The cookie that the printed link sets."""
    con = http.client.HTTPConnection(urlsplit(address).netloc, timeout=300)
    con.request("GET", f"/?token={TOKENS[address]}")
    response = con.getresponse()
    response.read()
    con.close()
    assert (response.status, response.headers["Location"]) == (303, "/")
    whole = response.headers["Set-Cookie"]
    assert "HttpOnly" in whole
    assert "SameSite=strict" in whole
    return whole.partition(";")[0]


def ask(
    address: str, path: str, form: dict[str, str] | None = None, **headers: str
) -> tuple[int, str]:
    """Status and body of one request; a form is posted."""
    con = http.client.HTTPConnection(urlsplit(address).netloc, timeout=300)
    body = None if form is None else urlencode(form)
    con.request(
        "GET" if body is None else "POST", path, body, {"Cookie": cookie(address), **headers}
    )
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


ROUTES = [
    "/", "/ask?q=select+1", "/answer.csv?q=select+1", "/pairs", "/why/x", "/what-if", "/review",
    "/app.css", "/app.js", "/icon.svg", "/report/", "/report/index.html", "/nowhere",
]  # fmt: skip
SAFE = {
    "Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cache-Control": "no-store",
}  # fmt: skip


def answered(address: str, path: str, **headers: str) -> http.client.HTTPResponse:
    con = http.client.HTTPConnection(urlsplit(address).netloc, timeout=300)
    con.request("GET", path, None, {name.replace("_", "-"): one for name, one in headers.items()})
    response = con.getresponse()
    response.read()
    con.close()
    return response


@pytest.mark.parametrize("path", ROUTES)
def test_no_route_answers_without_the_cookie_or_to_another_site(address: str, path: str) -> None:
    ours = cookie(address)
    name = ours.partition("=")[0]
    hostile = [
        {}, {"Cookie": f"{name}=guess"}, {"Cookie": "x;;=,"},
        {"Cookie": ours, "Origin": "http://evil.example"}, {"Cookie": ours, "Origin": "null"},
        {"Cookie": ours, "Sec_Fetch_Site": "cross-site"},
        {"Cookie": ours, "Sec_Fetch_Site": "same-site"},
        {"Cookie": ours, "Host": "evil.example"}, {"Cookie": ours, "Host": "127.0.0.1.evil"},
    ]  # fmt: skip
    for headers in hostile:
        response = answered(address, path, **headers)
        assert response.status in {400, 403}, headers
        for one, begins in SAFE.items():
            assert response.headers[one].startswith(begins)
    fine = answered(address, path, Cookie=ours, Sec_Fetch_Site="same-origin", Origin=address)
    assert fine.status in {200, 400, 404}
    for one, begins in SAFE.items():
        assert fine.headers[one].startswith(begins)


def test_a_wrong_token_opens_nothing(address: str) -> None:
    response = answered(address, "/?token=guess")
    assert response.status == 403
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    "query",
    [
        "select count(distinct range) from range(900000000)",
        "select repeat('x', 100000000) from range(20)",
        "select * from range(900000000)",
    ],
)
@pytest.mark.parametrize("path", ["/ask?", "/answer.csv?"])
def test_a_query_has_its_limits(address: str, path: str, query: str) -> None:
    status, page = ask(address, path + urlencode({"q": query}))
    assert status == 400 or ("range(900000000)" in page and path == "/ask?")
    assert ask(address, sql("select 1"))[0] == 200


def test_a_long_body_is_cut_while_it_is_read(address: str) -> None:
    con = http.client.HTTPConnection(urlsplit(address).netloc, timeout=300)
    headers = {"Cookie": cookie(address), "Origin": address, "Content-Length": str(10**9)}
    con.request("POST", "/review", b"x" * 1000, headers)
    assert con.getresponse().status == 413
    con.close()
    con = http.client.HTTPConnection(urlsplit(address).netloc, timeout=300)
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(10_000):
            sent += 100_000
            yield b"x" * 100_000

    del headers["Content-Length"]
    try:
        con.request("POST", "/review", body(), headers, encode_chunked=True)
        assert con.getresponse().status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # it had answered and closed
    con.close()
    assert sent < 10**8
    assert ask(address, sql("select 1"))[0] == 200


ODD = {
    "340282366920938463463374607431768211455::uhugeint": "340282366920938463463374607431768211455",
    "(-170141183460469231731687303715884105)::hugeint": "-170141183460469231731687303715884105",
    "date '290000-01-01'": "290000-01-01", "'infinity'::date": "infinity",
    "timestamp '294247-01-10 04:00:54'": "294247-01-10 04:00:54",
    "interval 3 days": "3 days", "union_value(a := 1)": "1", "'101'::bit": "101",
    "'a'::blob": "a", "map {'a': 1}": "{a=1}", "[date '290000-01-01']": "[290000-01-01]",
    "'x'::enum('x', 'y')": "x", "123::bignum": "123", "sum(1)": "1", "null": "",
}  # fmt: skip


@pytest.mark.parametrize("value", ODD)
def test_odd_values_are_answered_as_they_are(address: str, value: str) -> None:
    for kind in ("", "bar", "histogram"):
        query = {"q": f"select {value} as x, 1 as y", "kind": kind}
        status, page = ask(address, "/ask?" + urlencode(query))
        assert status == 200
        assert ODD[value] in page
    status, text = ask(address, "/answer.csv?" + urlencode({"q": f"select {value} as x"}))
    assert status == 200
    assert ODD[value].lstrip("-") in text


@pytest.mark.parametrize("char", ["\0", "\x07", "\x0b", "\x1b", "\ufffe", "\U0001f600"])
def test_no_text_of_a_row_ends_the_process(address: str, char: str) -> None:
    text = "||".join(f"chr({ord(char)})" for _ in range(50))
    query = {"q": f"select {text} as x, 1 as y", "kind": "bar"}
    status, page = ask(address, "/ask?" + urlencode(query))
    assert status == 200
    assert "<svg" in page
    assert f"[U+{ord(char):04X}]" in page
    assert ask(address, "/")[0] == 200


def test_odd_digits_and_infinite_penalties_are_no_fault_of_the_server(address: str) -> None:
    assert ask(address, "/review?reviewer=ann&skip=%C2%B2")[0] == 200
    assert ask(address, "/pairs?page=%C2%B2")[0] == 200
    for value in ("inf", "-inf", "nan", "1e999"):
        status, page = ask(address, f"/what-if?iteration=iter1&length_penalty={value}")
        assert status in {200, 400}
        assert "penalty" in page


def test_csv_is_text_to_a_spreadsheet_and_a_terminal(address: str) -> None:
    query = "select '=HYPERLINK(1)' as \"=cmd\", chr(27) || '[2J' as b, -1 as c"
    _, text = ask(address, "/answer.csv?" + urlencode({"q": query}))
    assert text == "'=cmd,b,c\n'=HYPERLINK(1),\\x1b[2J,-1\n"


def test_the_folder_that_queries_spill_to_is_not_read(address: str, folder: Path) -> None:
    (folder / ".tmp").mkdir(exist_ok=True)
    (folder / ".tmp/secret.csv").write_text("a\n1\n")
    for at in (".tmp/secret.csv", folder / ".tmp/secret.csv"):
        status, page = ask(address, sql(f"select * from read_csv('{at}')"))
        assert status == 400
        assert 'id="answer"' not in page


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
    tables = scored.scored(folder / "data", "iter1")
    some = scored.sampled(tables, 2)
    params = load(folder / "params.yaml")
    made, whole = some.pair(params, {}), tables.pair(params, {})
    assert some.share == 0.5
    assert made.pairs["prompt_id"].sort().to_list() == ["calm", "close"]
    assert made.pairs.equals(whole.pairs.join(made.pairs, on="pair_id", how="semi"))
    assert scored.sampled(tables, 4).share == 1.0


def test_a_port_in_use_is_one_line(
    address: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--data", str(folder / "data"), "--params", str(folder / "params.yaml")]
    assert ui.main([*flags, "--port", address.rpartition(":")[2]]) == 2
    assert "Address already in use; give another, or 0" in capsys.readouterr().err
    assert ui.main(["--data", str(folder / "nowhere")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
