"""`prefloop params` says what a knob does, takes, is by default and is here."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import cli


@pytest.fixture(autouse=True)
def _in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("iterations: {iter1: {n: 4}}\n", "utf-8")


def test_a_knob_of_an_entry_with_its_value_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["params", "iterations.iter1.n"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "iterations.iter1.n",
        "Responses to one prompt.",
        "  takes:       integer, >= 2, <= 10,000",
        "  unit:        responses",
        "  default:     8",
        "  params.yaml: 4",
    ]


def test_a_section_lists_its_knobs_and_no_key_lists_the_sections(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["params", "mixes"]) == 0
    assert "  mixes.NAME.eval_share      Share of the prompts" in capsys.readouterr().out
    assert cli.main(["params"]) == 0
    assert "  dpo_offline       The offline baseline." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("dpo.betta", "did you mean dpo.beta?"),
        ("beta", "did you mean dpo.beta"),
        ("xyzzy", "sections: seeds, engine"),
    ],
)
def test_an_unknown_key_names_the_nearest(
    key: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["params", key]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"params: {key}: no such key of params.yaml; ")
    assert says in said
