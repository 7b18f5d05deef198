"""Recipes that extend others: maps merge, all else is replaced, and slips are one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.core.errors import UserError
from pipelines.core.params.text import read


def _write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")


def test_maps_merge_and_lists_nulls_and_scalars_replace(tmp_path: Path) -> None:
    _write(
        tmp_path,
        under="a: {x: 1, y: {z: 2, list: [1, 2]}}\nlora: {rank: 4}\n",
        over="extends: under\na: {y: {list: [3]}, w: 1e-5}\nlora: null\n",
    )
    found = read(tmp_path / "over.yaml")
    assert found.values == {"a": {"x": 1, "y": {"z": 2, "list": [3]}, "w": 1e-5}, "lora": None}


def test_remove_takes_a_key_out_first_so_a_map_can_be_replaced(tmp_path: Path) -> None:
    _write(
        tmp_path,
        under="members: {a: {}, b: {}}\nother: {c: 1, d: 2}\n",
        over="extends: under\nremove: [members, other.c]\nmembers: {e: {}}\n",
    )
    assert read(tmp_path / "over.yaml").values == {"other": {"d": 2}, "members": {"e": {}}}


def test_chains_by_name_and_path_know_where_a_key_was_said(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    _write(tmp_path, one="a: {x: 1, y: 2}\n", two="extends: one\na: {x: 3}\n")
    _write(tmp_path / "deep", three="extends: ../two.yaml\nb: 4\n")
    found = read(tmp_path / "deep/three.yaml")
    assert found.values == {"a": {"x": 3, "y": 2}, "b": 4}
    origins = {key: found.origin(key).name for key in ("a.x", "a.y", "b", "c")}
    assert origins == {"a.x": "two.yaml", "a.y": "one.yaml", "b": "three.yaml", "c": "three.yaml"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("extends: over\n", "recipes that extend each other in a circle"),
        ("extends: undr\n", "extends: no recipe undr; did you mean under?"),
        ("extends: [under]\n", "extends takes a name or path"),
        ("extends: under\nremove: [a.xx]\n", "remove: a.xx: the recipe it extends has no xx"),
        ("extends: under\nremove: a.x\n", "remove a list of dotted keys"),
        ("remove: [a]\n", "remove: there is nothing to remove from without extends"),
        ("a: {x: 1, x: 2}\n", "the key x stands twice in the map of line 1"),
    ],
)
def test_a_slip_is_one_line_that_names_the_file(tmp_path: Path, text: str, says: str) -> None:
    _write(tmp_path, under="a: {x: 1}\n", over=text)
    with pytest.raises(UserError) as caught:
        read(tmp_path / "over.yaml")
    assert says in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "over.yaml"))
    assert "\n" not in str(caught.value)


def test_two_recipes_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    _write(tmp_path, a="extends: b\n", b="extends: a\n")
    with pytest.raises(UserError, match=r"a.yaml -> .*b.yaml -> .*a.yaml: .* in a circle"):
        read(tmp_path / "a.yaml")


def test_params_yaml_itself_extends_nothing_because_dvc_reads_it_alone(tmp_path: Path) -> None:
    _write(tmp_path, under="a: 1\n", params="extends: under\n")
    with pytest.raises(UserError, match="DVC reads this file alone; run prefloop use"):
        read(tmp_path / "params.yaml")
