"""The life of a row, whatever id it is asked by."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.audit.why import explain
from curation.core.errors import UserError
from tests.curation.audit.tiny import preference


def stages(build: Path, wanted: str) -> list[tuple[str, str]]:
    return [(step.stage, step.verdict) for step in explain(build, wanted).steps]


def test_a_kept_pair_from_native_row_to_reward_model(build: Path) -> None:
    life = explain(build, preference(1, "hh_rlhf", "", "")["pair_id"])
    assert [(step.stage, step.verdict) for step in life.steps] == [
        ("fetch@hh_rlhf", "read"),
        ("standardize@hh_rlhf", "kept"),
        ("mix@mix1", "kept"),
        ("reward_model@mix1", "trained on"),
    ]
    assert life.texts[1] == ("chosen", "assistant: a long good answer")


def test_a_pair_that_the_mix_dropped(build: Path) -> None:
    pair = preference(2, "hh_rlhf", "", "")["pair_id"]
    for wanted in (pair, f"hh_rlhf:{pair}"):
        life = explain(build, wanted)
        assert [(step.stage, step.verdict) for step in life.steps] == [
            ("fetch@hh_rlhf", "read"),
            ("standardize@hh_rlhf", "kept"),
            ("mix@mix1", "dropped"),
        ]
        assert life.steps[-1].detail == "duplicate: what it saw"


@pytest.mark.parametrize("wanted", ["hh_rlhf:gonehh_rlhf:0", "gonehh_rlhf"])
def test_a_dropped_row_by_its_item_or_its_source_row(build: Path, wanted: str) -> None:
    life = explain(build, wanted)
    dropped = [step for step in life.steps if step.verdict == "dropped"]
    assert [step.stage for step in dropped] == ["standardize@hh_rlhf"]
    assert dropped[0].detail == "tie: what it saw"
    assert life.texts == [("dropped hh_rlhf:gonehh_rlhf:0", '{\n "chosen": "dropped text"\n}')]


def test_a_sampled_pair_names_policy_judge_and_training(build: Path) -> None:
    assert stages(build, "sampled00000000000000001") == [
        ("prompts", "kept"),
        ("generate@iter1", "sampled"),
        ("generate@iter1", "sampled"),
        ("score@iter1", "scored"),
        ("score@iter1", "scored"),
        ("pair@iter1", "kept"),
        ("history@iter1", "kept"),
        ("reference@iter1", "computed"),
        ("dpo@iter1", "trained on"),
    ]


def test_a_prompt_without_a_pair_says_why(build: Path) -> None:
    life = explain(build, "pool00000000000000000002")
    assert ("pair@iter1", "dropped") in [(step.stage, step.verdict) for step in life.steps]


def test_a_generation_leads_to_its_pair(build: Path) -> None:
    assert ("pair@iter1", "kept") in stages(build, "gensft0000000000000010")


def test_the_beginning_of_an_id_is_enough(build: Path) -> None:
    assert explain(build, "sampled0").id == "sampled00000000000000001"


def test_an_ambiguous_beginning_lists_what_it_fits(build: Path) -> None:
    with pytest.raises(UserError, match="fits 2 ids"):
        explain(build, "pairhh_rlhf00")


@pytest.mark.parametrize(("wanted", "why"), [("deadbeef", "no table"), ("de", "too short")])
def test_an_unknown_id_is_one_clear_line(build: Path, wanted: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        explain(build, wanted)
