"""A command's own parser decides about arguments, and nothing of the command runs."""

from __future__ import annotations

import pytest

from pipelines.shared.command_list import Command, find, listed
from pipelines.shared.parsers import parser_of, parses


def module(name: str) -> str:
    found = find(name)
    assert found is not None
    return found.module


@pytest.mark.parametrize("one", listed(), ids=lambda one: one.name)
def test_every_command_has_a_parser_with_its_name(one: Command) -> None:
    assert parser_of(one.module).format_usage().startswith("usage: ")


def test_good_arguments_pass_and_nothing_runs(capsys: pytest.CaptureFixture[str]) -> None:
    parses(module("sql"), ["select no_such_column from nowhere"])
    parses(module("repro"), ["-f", "-s", "pair@iter1"])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("name", "argv"),
    [("why", []), ("sql", ["--lst"]), ("review", ["decide", "x", "flop"]), ("diff", ["--tabel"])],
)
def test_what_the_command_would_refuse_is_refused(name: str, argv: list[str]) -> None:
    with pytest.raises(SystemExit):
        parses(module(name), argv)
