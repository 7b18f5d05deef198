from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from curation.publish.scan import masked, refused, scan_table, scan_text
from curation.rules.kinds import SHAPES

# Made up; each is put together here so that no scanner takes this file for a leak.
SECRETS = {
    "hf_token": "hf_" + "aB3d" * 9,
    "openai_key": "sk-proj-" + "aB3d" * 6 + "T3BlbkFJ" + "aB3d" * 6,
    "anthropic_key": "sk-ant-api03-" + "aB3_" * 20,
    "github_token": "ghp_" + "aB3d" * 9,
    "gitlab_token": "glpat-" + "aB3d" * 5,
    "aws_key": "AKIA" + "Q7RZ" * 4,
    "google_key": "AIza" + "aB3d_" * 7,
    "slack_token": "xoxb-" + "123456789012-" * 2 + "abc",
    "stripe_key": "sk_live_" + "aB3d" * 6,
    "npm_token": "npm_" + "aB3d" * 9,
    "pypi_token": "pypi-AgE" + "aB3d" * 15,
    "sendgrid_key": "SG." + "a" * 22 + "." + "b" * 43,
    "json_web_token": "eyJ" + "hbGciOiJI" * 2 + ".eyJ" + "zdWIiOiIx" * 2 + "." + "c" * 20,
    "private_key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "aws_secret": "aws_secret_access_key = " + "aB3d/" * 8,
    "slack_webhook": "https://hooks.slack" + ".com/services/T0AB1CD2E/B0FG3HI4J/" + "aB3d" * 6,
    "url_key": "https://api.mail.org/v1?api_key=" + "aB3d" * 6,
    "phone": "+49 30 901820",
    "iban": "DE89 3704 0044 0532 0130 00",
    "card": "4539 1488 0343 6467",
    "url_password": "postgres://admin:" + "hunter22@db.mail.org",
    "email": "jane.doe@mail.org",
}
PROSE = [
    "Write sk-learn code; see https://user.name@host and 1e5@ or @handle, a@b, x@y.",
    "mail john@example.com or root@server.test, or anne@corp.example",
    "The AKIA prefix, hf_hub, ghp_short, eyJ and -----BEGIN CERTIFICATE-----",
    "https://docs.python.org:443/3/library@latest",
    "![logo](img/logo@2x.png) and icon@3x.webp, clone git@github.com:org/name.git",
    "AKIAIOSFODNN7EXAMPLE with wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY of the manual",
    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, ?api_key=YOUR_API_KEY_HERE",
    "Call +1 555 000 or 00 12, 2026-11-27 12:00:00, pi is 3.14159265358979, 4111 1111 1111 1111",
    "DE00 1234 5678 9012 3456 78 is no account, 1234 5678 9012 3456 no card; v1.2.3+45",
]


def test_every_shape_has_an_example() -> None:
    assert set(SECRETS) == set(SHAPES)


def test_recall_and_precision_on_the_made_set() -> None:
    """One number each, over all made secrets and all clean lines of this file."""
    made = list(SECRETS.items())
    made += [(kind, text) for kind, texts in MORE.items() for text in texts]
    found = [kind in {one.kind for one in scan_text(text, "x")} for kind, text in made]
    assert sum(found) / len(made) == 1.0
    assert sum(bool(scan_text(text, "x")) for text in PROSE) == 0


@pytest.mark.parametrize("kind", SHAPES)
def test_each_shape_is_found_once_and_masked(kind: str, tmp_path: Path) -> None:
    secret = SECRETS[kind]
    text = f"before {secret} after"
    assert [(f.kind, f.count) for f in scan_text(text, "x") if f.kind == kind] == [(kind, 1)]
    file = tmp_path / "rows.parquet"
    pl.DataFrame({"id": ["r1", "r2"], "text": ["nothing", text]}).write_parquet(file)
    (found,) = [one for one in scan_table(file, "id", "rows") if one.kind == kind]
    assert (found.where, found.count) == ("rows.text", 1)
    assert "in r2" in found.line()
    assert kind == "private_key" or secret not in found.line()


MORE = {
    "slack_token": ["xapp-" + "1-A0AB1CD2E-" + "123456789" * 3],
    "openai_key": ["sk-" + "aB3d" * 12, "sk-" + "aB3d" * 5 + "T3BlbkFJ" + "aB3d" * 5],
    "json_web_token": ["eyJhbGciOiJub25lIn0" + ".eyJzdWIiOiIxMjM0NTYifQ."],
    "url_password": ["http://user:pw1@[::1]:8000/v1", "redis://:hunter22@db.mail.org"],
    "url_key": ["https://mail.org/x?a=1&access_token=" + "aB3d" * 5],
    "phone": ["+1 (212) 736-5000", "0044 20 7930 4832"],
    "iban": ["GB33BUKB20201555555555"],
    "card": ["378282246310005", "5425-2334-3010-9903"],
}


@pytest.mark.parametrize("kind", MORE)
def test_other_forms_of_a_kind_are_found(kind: str) -> None:
    for text in MORE[kind]:
        found = {one.kind: one.count for one in scan_text(f"is {text} it", "x")}
        assert found.get(kind) == 1, text


@pytest.mark.parametrize("text", PROSE)
def test_prose_is_not_a_finding(text: str, tmp_path: Path) -> None:
    assert scan_text(text, "x") == []
    file = tmp_path / "rows.parquet"
    pl.DataFrame({"id": ["r"], "text": [text]}).write_parquet(file)
    assert scan_table(file, "id", "rows") == []


def test_messages_and_lists_are_read_and_the_key_is_not(tmp_path: Path) -> None:
    mail = SECRETS["email"]
    rows = {
        "id": [mail, "b"],
        "prompt": [
            [{"role": "user", "content": f"{mail} {mail}"}, {"role": "user", "content": mail}],
            [],
        ],
        "flags": [["x"], [mail]],
        "n": [1, 2],
    }
    file = tmp_path / "rows.parquet"
    pl.DataFrame(rows).write_parquet(file)
    found = {one.where: one.count for one in scan_table(file, "id", "t")}
    assert found == {"t.prompt": 3, "t.flags": 1}


def test_only_what_is_allowed_by_name_passes() -> None:
    found = scan_text(f"{SECRETS['email']} {SECRETS['aws_key']}", "x")
    assert [one.kind for one in refused(found, ["email"])] == ["aws_key"]
    assert refused(found, ["all"]) == []
    assert masked(SECRETS["email"], "email") == "j…@mail.org"


def test_real_rows_count_as_a_regular_expression_counts_them(root: Path, tmp_path: Path) -> None:
    folder = root.parent / "shared" / "data" / "hh_rlhf"
    files = sorted(folder.glob("*.jsonl*")) + sorted(folder.glob("*.parquet"))
    if not files:
        pytest.skip("no real rows beside the checkout")
    reader = pl.read_parquet if files[0].suffix == ".parquet" else pl.read_ndjson
    rows = reader(files[0]).select("chosen").with_row_index("id")
    rows = rows.with_columns(pl.col("id").cast(pl.String))
    file = tmp_path / "rows.parquet"
    rows.write_parquet(file)
    texts = [text for text in rows["chosen"].to_list() if isinstance(text, str)]
    expected = sum(
        not re.search(r"@(?:[\w-]+\.)*example\.(?:com|org|net)$", hit)
        for text in texts
        for hit in re.findall(SHAPES["email"], text)
    )
    counted = sum(one.count for one in scan_table(file, "id", "rows") if one.kind == "email")
    assert len(texts) > 1000
    assert counted == expected
