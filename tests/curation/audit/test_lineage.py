"""From a checkpoint back to the native files, as rows and as a picture."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from curation.audit.lineage import trace
from curation.audit.picture import TALL, columns, draw
from curation.core.errors import UserError
from pipelines.core import params
from tests.conftest import ROOT

LANE = re.compile(r"(\d+),(\d+) H")


@pytest.fixture(scope="module")
def recipe() -> dict[str, Any]:
    return params.load(ROOT / "recipes" / "sample.yaml").model_dump(mode="json")


def test_an_iteration_leads_to_policy_judge_prompts_and_sources(
    build: Path, recipe: dict[str, Any]
) -> None:
    found = trace(build, recipe, "iter1")
    edges = set(found.edges)
    assert ("sft", "iter1") in edges
    assert ("pairs of iter1", "iter1") in edges
    assert ("responses of iter1", "pairs of iter1") in edges
    assert ("prompts of iter1", "responses of iter1") in edges
    assert ("source dibt", "prompts of iter1") in edges
    assert ("reward_models/mix1", "pairs of iter1") in edges
    assert ("source hh_rlhf", "mix mix1") in edges


def test_details_hold_hashes_and_counts(build: Path, recipe: dict[str, Any]) -> None:
    found = {node.name: node for node in trace(build, recipe, "iter1").nodes}
    assert found["sft"].detail == "weights sha-of-sft"
    assert found["responses of iter1"].detail.startswith("4 to 2 prompts, 2 seeds")
    assert "sha256 ab" in found["source hh_rlhf"].detail


def test_a_build_without_anything_still_has_the_recipe(empty: Path, recipe: dict[str, Any]) -> None:
    found = trace(empty, recipe, "offline")
    assert found.nodes[0].name == "offline"
    assert "not fetched" in {node.name: node.detail for node in found.nodes}["source nectar"]


def test_an_unknown_checkpoint_lists_those_there_are(build: Path, recipe: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"iter9.*one of.*iter1"):
        trace(build, recipe, "iter9")


def test_the_picture_is_xml_with_one_box_each(build: Path, recipe: dict[str, Any]) -> None:
    found = trace(build, recipe, "iter1")
    root = ElementTree.fromstring(draw(found))
    boxes = root.findall("{http://www.w3.org/2000/svg}g")
    assert len(boxes) == len(found.nodes)


def test_no_arrow_runs_through_a_box(build: Path, recipe: dict[str, Any]) -> None:
    """Straight lines lie in lanes between the boxes of a column, never under one."""
    root = ElementTree.fromstring(draw(trace(build, recipe, "iter2")))
    boxes = [
        (int(one.get("x", "")), int(one.get("y", "")))
        for one in root.findall(".//{http://www.w3.org/2000/svg}g/{http://www.w3.org/2000/svg}rect")
    ]
    lines = [one.get("d", "") for one in root.findall("{http://www.w3.org/2000/svg}path")]
    lanes = [(int(x), int(y)) for line in lines for x, y in LANE.findall(line)]
    assert lanes
    for x, y in lanes:
        assert all(x != left or not top <= y <= top + TALL for left, top in boxes)


def test_every_edge_points_from_left_to_right(build: Path, recipe: dict[str, Any]) -> None:
    found = trace(build, recipe, "iter2")
    steps = columns(found)
    assert all(steps[used] > steps[made] for used, made in found.edges)
