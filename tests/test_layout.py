"""Each module has a test of its name beside it, or tests/README.md says what tests it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import layout


def test_every_module_has_a_test_of_its_name_or_is_listed() -> None:
    listed = layout.listed()
    assert [m for m in layout.modules() if not layout.by_name(m) and m not in listed] == []


def test_the_list_holds_only_modules_that_need_it() -> None:
    known = layout.modules()
    assert [m for m in layout.listed() if m not in known or layout.by_name(m)] == []


@pytest.mark.parametrize("test", sorted(set(layout.listed().values())))
def test_a_listed_test_reaches_its_modules(test: str) -> None:
    wanted = {module for module, by in layout.listed().items() if by == test}
    assert wanted - layout.reached(test) == set()


def test_every_test_beside_a_package_is_named_after_it_or_a_module() -> None:
    modules = layout.modules()
    packages = {Path("tests", module).parent for module in modules}
    named = {test for module in modules for test in layout.by_name(module)}
    named |= {f"{folder}/test_{folder.name}.py" for folder in packages}
    beside = {test for test in layout.tests() if Path(test).parent in packages}
    assert sorted(beside - named) == []
