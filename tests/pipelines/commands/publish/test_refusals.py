"""What stops a publication before the Hub is asked anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from curation.core import schema
from tests.curation.audit.tiny import gate
from tests.pipelines.commands.publish.conftest import Ran, record
from tests.pipelines.commands.publish.standin import Hub
from tests.pipelines.commands.publish.test_publish import KEY, _refused

Run = Callable[..., Ran]


def _edit(build: Path, old: str, new: str) -> None:
    file = build / "params.yaml"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def _say(build: Path, text: str) -> None:
    """Put a text into one response of the pairs, and let DVC record it."""
    file = build / "data/iterations/iter1/pairs.parquet"
    rows = pl.read_parquet(file).to_dicts()
    rows[3]["chosen"] = [{"role": "assistant", "content": text}]
    pl.DataFrame(rows, schema=schema.PAIRS.polars).write_parquet(file)
    record(build)


def test_a_table_that_dvc_did_not_record(run: Run, hub: Hub, build: Path) -> None:
    file = build / "data/iterations/iter1/pairs.parquet"
    pl.read_parquet(file).head(3).write_parquet(file)
    _refused(run("--tables", "pairs"), "pairs.parquet", "changed since pair@iter1")
    assert run("--tables", "prompts").code == 0
    (build / "dvc.lock").unlink()
    _refused(run("--tables", "prompts"), "dvc.lock", "dvc repro")


def test_parameters_that_made_nothing(run: Run, hub: Hub, build: Path) -> None:
    _edit(build, "strategy: best_worst", "strategy: random")
    _refused(run("--tables", "pairs"), "params.yaml", "pairs is not what the build was made with")
    assert run("--tables", "prompts").code == 0  # pairs.strategy has no part in them


def test_a_failed_gate(run: Run, hub: Hub, build: Path) -> None:
    gate(build / "data/mixes/mix1/checks.json", "mixes", 2)
    _refused(run(), "gate failed: mixes/mix1/checks")
    assert hub.asked == []


def test_a_licence_that_does_not_permit_it(run: Run, hub: Hub, build: Path) -> None:
    file = build / "params.yaml"
    head, dibt, tail = file.read_text("utf-8").partition("path: data/sample/dibt_10k.parquet")
    changed = tail.replace("license: Apache-2.0", "license: CC-BY-ND-4.0", 1)
    file.write_text(head + dibt + changed, "utf-8")
    record(build)
    _refused(run("--tables", "pairs"), "dibt (cc-by-nd-4.0)", "forbids redistribution")
    assert hub.asked == []
    assert run("--tables", "scores").code == 0  # ids and numbers: nobody's text


def test_secrets_and_addresses_are_listed_and_never_shown_whole(
    run: Run, hub: Hub, build: Path
) -> None:
    secret = "AKIA" + "Q7RZ" * 4
    _say(build, f"mail jane.doe@mail.org, not john@example.com, key {secret}")
    ran = run("--tables", "pairs")
    _refused(ran, "2 findings", "--allow-findings aws_key email")
    assert "email: 1 in pairs_iter1.chosen, such as j…@mail.org in sampled" in ran.out
    assert "aws_key: 1 in pairs_iter1.chosen" in ran.out
    assert secret not in ran.out + ran.err
    assert hub.asked == []
    _refused(run("--tables", "pairs", "--allow-findings", "email"), "1 findings")
    assert run("--tables", "pairs", "--allow-findings", "email", "aws_key").code == 0
    assert KEY in hub.repos


def test_a_secret_in_the_lock_and_nothing_is_written_before_it_is_refused(
    run: Run, hub: Hub, build: Path, tmp_path: Path
) -> None:
    secret = "ghp_" + "a1B2" * 9
    with (build / "dvc.lock").open("a") as file:
        file.write(f"# {secret}\n")
    folder = tmp_path / "written"
    _refused(run("--tables", "pairs", "--dry-run", "--out", str(folder)), "1 findings")
    assert not folder.exists()


def test_a_secret_in_the_parameters(run: Run, hub: Hub, build: Path) -> None:
    secret = "ghp_" + "a1B2" * 9
    with (build / "params.yaml").open("a") as file:
        file.write(f"# my token is {secret}\n")
    ran = run("--tables", "pairs")
    _refused(ran, "1 findings")
    assert "github_token: 1 in params.yaml" in ran.out
    assert hub.asked == []


@pytest.mark.parametrize("table", ["nonsense", "pairs_iter7"])
def test_a_table_that_is_none(run: Run, table: str) -> None:
    _refused(run("--tables", table), table, "pairs_iter1")


def test_rows_that_are_not_there(run: Run, build: Path) -> None:
    (build / "data/iterations/iter1/pairs.parquet").unlink()
    _refused(run("--tables", "pairs"), "no rows of pairs", "dvc repro")
