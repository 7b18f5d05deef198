"""Typed arguments: a stage's flags follow from its fields."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from pipelines.core.arguments import Arguments, foreach, option, parse, reads, writes


class Args(Arguments):
    table: Path = reads()
    more: tuple[Path, ...] = reads(default=())
    reviews: Path | None = reads(default=None)
    out: Path = writes()
    mix: str = foreach()
    from_: str | None = option(default=None)
    view: tuple[str, ...] = option(default=())
    limit: int = option(default=3, choices=[3, 5])
    run_code: bool = option(default=False)


LEAST = ["--table", "t", "--out", "o", "--mix", "mix1"]
MOST = [*LEAST, "--more", "a", "b", "--reviews", "r", "--from", "f", "--view", "x=1"]
MOST += ["--view", "y=2", "--limit", "5", "--run-code", "--params", "p.yaml"]


def test_what_is_not_given_has_the_field_s_default() -> None:
    args = parse("demo", Args, LEAST)
    assert args == Args(table=Path("t"), out=Path("o"), mix="mix1")
    assert (args.params, args.more, args.view) == (Path("params.yaml"), (), ())
    assert (args.reviews, args.from_, args.limit, args.run_code) == (None, None, 3, False)


def test_every_flag_is_read_as_its_field_s_type() -> None:
    args = parse("demo", Args, MOST)
    assert (args.more, args.reviews) == ((Path("a"), Path("b")), Path("r"))
    assert (args.from_, args.view, args.limit) == ("f", ("x=1", "y=2"), 5)
    assert (args.run_code, args.params) == (True, Path("p.yaml"))


def test_the_frame_knows_what_is_read_and_written_and_which_item_it_is() -> None:
    args = parse("demo", Args, MOST)
    assert args.inputs() == [Path(name) for name in ("t", "a", "b", "r", "p.yaml")]
    assert args.outputs() == [Path("o")]
    assert args.label("mix") == "mix@mix1"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (LEAST[2:], "the following arguments are required: --table"),
        ([*LEAST, "--limit", "4"], "argument --limit: invalid choice: 4"),
        ([*LEAST, "--lim", "5"], "unrecognized arguments: --lim 5"),
    ],
)
def test_wrong_flags_end_the_process(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse("demo", Args, words)
    assert told in capsys.readouterr().err


def test_help_shows_the_module_s_docstring(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        parse("demo", Args, ["--help"])
    assert "Typed arguments: a stage's flags" in capsys.readouterr().out


def test_arguments_cannot_be_changed() -> None:
    args = parse("demo", Args, LEAST)
    with pytest.raises(FrozenInstanceError):
        args.mix = "mix2"  # type: ignore[misc]
