from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.core.errors import UserError
from curation.publish.licences import TERMS, Combined, combine, normal


@pytest.mark.parametrize(
    ("licences", "whole"),
    [
        (["MIT"], "mit"),
        (["MIT", "Apache-2.0"], "apache-2.0"),
        (["MIT", "CC-BY-4.0", "ODC-BY-1.0"], "odc-by"),
        (["MIT", "CC-BY-NC-4.0", "CC-BY-4.0"], "cc-by-nc-4.0"),
        (["MIT", "CC-BY-SA-4.0"], "cc-by-sa-4.0"),
        (["CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "MIT"], "cc-by-nc-sa-4.0"),
        (["MIT", "llama3"], "llama3"),
        ([], "cc0-1.0"),
    ],
)
def test_the_strictest_licence_names_the_whole(licences: list[str], whole: str) -> None:
    assert combine({str(at): one for at, one in enumerate(licences)}) == Combined(whole)


def test_a_model_licence_and_a_non_commercial_source_are_named_together() -> None:
    found = combine({"base": "llama3", "pku": "CC-BY-NC-4.0"})
    assert found == Combined("other", "cc-by-nc-4.0 and llama3")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CC-BY-SA-4.0", "CC-BY-NC-4.0"),
        ("CC-BY-SA-4.0", "CC-BY-NC-SA-4.0"),
        ("CC-BY-SA-4.0", "ODbL-1.0"),
    ],
)
def test_licences_that_exclude_each_other_are_refused(one: str, other: str) -> None:
    with pytest.raises(UserError, match=r"exclude each other.*--tables.*--licence"):
        combine({"a": one, "b": other})
    assert combine({"a": one, "b": other}, stated="other-terms") == Combined("other", "other-terms")


@pytest.mark.parametrize("licence", ["proprietary", "CC-BY-NC-ND-4.0", "research-only"])
def test_a_source_that_forbids_it_is_refused_whatever_is_said(licence: str) -> None:
    for allow, stated in ((False, None), (True, None), (True, "mit")):
        with pytest.raises(UserError, match="forbids redistribution: b "):
            combine({"a": "MIT", "b": licence}, allow, stated)


def test_an_unknown_licence_needs_a_flag() -> None:
    with pytest.raises(UserError, match=r"b \(unknown\).*--allow-unknown-licence"):
        combine({"a": "MIT", "b": "unknown"})
    assert combine({"a": "MIT", "b": "unknown"}, True) == Combined("other", "mit and unknown")
    assert combine({"b": "unknown"}, True) == Combined("unknown")


@given(st.lists(st.sampled_from(sorted(TERMS)), min_size=1, max_size=5))
def test_no_obligation_is_ever_lost(licences: list[str]) -> None:
    try:
        whole = combine({str(at): one for at, one in enumerate(licences)})
    except UserError:
        return
    if whole.id == "other":
        assert set((whole.name or "").split(" and ")) == set(licences)
        return
    bound = TERMS[whole.id]
    for one in licences:
        assert TERMS[one].redistribution
        assert bound.non_commercial >= TERMS[one].non_commercial
        assert bound.attribution >= TERMS[one].attribution
        if TERMS[one].share_alike or TERMS[one].own_terms:
            assert whole.id == one


def test_spdx_variants_are_one_licence() -> None:
    assert normal("GPL-3.0-or-later") == "gpl-3.0"
    assert normal("ODC-By-1.0") == "odc-by"
    assert normal(" CC-BY-4.0 ") == "cc-by-4.0"
