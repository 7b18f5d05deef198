"""Licences of sources, and the one licence a set made of several of them may carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from curation.core.errors import UserError


@dataclass(frozen=True)
class Terms:
    """What a licence asks of a person who passes adapted rows on.

    Args:
        rank: how much it asks among the permissive ones; the highest names the whole.
        attribution: the makers must be named.
        share_alike: adapted rows carry this very licence.
        non_commercial: no commercial use.
        redistribution: adapted rows may be passed on at all.
        own_terms: a licence of its own (such as a model's) that no other one can stand for.
    """

    rank: int = 0
    attribution: bool = False
    share_alike: bool = False
    non_commercial: bool = False
    redistribution: bool = True
    own_terms: bool = False

    def words(self) -> str:
        """The obligations in words."""
        named = {
            "no redistribution": not self.redistribution,
            "share alike": self.share_alike,
            "non-commercial": self.non_commercial,
            "name the makers": self.attribution,
            "its own terms": self.own_terms,
        }
        return ", ".join(word for word, holds in named.items() if holds) or "none"


@dataclass(frozen=True)
class Combined:
    """The licence of the whole: its id on the Hub, and a name where the id is `other`."""

    id: str
    name: str | None = None


_BY, _SA, _NC = Terms(3, True), Terms(3, True, True), Terms(4, True, False, True)
_NC_SA = Terms(4, True, True, True)
_FORBIDDEN = Terms(redistribution=False)
_OWN = Terms(attribution=True, own_terms=True)

TERMS: dict[str, Terms] = {
    **dict.fromkeys(("cc0-1.0", "pddl", "unlicense", "0bsd"), Terms(0)),
    **dict.fromkeys(("mit", "bsd-2-clause", "bsd-3-clause", "isc"), Terms(1, True)),
    **dict.fromkeys(("apache-2.0", "cdla-permissive-2.0"), Terms(2, True)),
    **dict.fromkeys(("cc-by-4.0", "cc-by-3.0", "cc-by-2.0", "odc-by"), _BY),
    **dict.fromkeys(("cc-by-sa-4.0", "cc-by-sa-3.0", "odbl", "cdla-sharing-1.0"), _SA),
    **dict.fromkeys(("gpl-3.0", "agpl-3.0", "lgpl-3.0"), _SA),
    **dict.fromkeys(("cc-by-nc-4.0", "cc-by-nc-3.0", "cc-by-nc-2.0"), _NC),
    **dict.fromkeys(("cc-by-nc-sa-4.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-2.0"), _NC_SA),
    # ND lets nobody pass on an adapted copy, and a curated set is one.
    **dict.fromkeys(("cc-by-nd-4.0", "cc-by-nc-nd-4.0", "cc-by-nc-nd-3.0"), _FORBIDDEN),
    **dict.fromkeys(("no-redistribution", "proprietary", "research-only"), _FORBIDDEN),
    **dict.fromkeys(("llama2", "llama3", "llama3.1", "llama3.2", "llama3.3", "gemma"), _OWN),
}
"""SPDX id, or the Hub's id, in lower case -> terms. What is not here is unknown."""

_SPDX = {"odc-by-1.0": "odc-by", "odbl-1.0": "odbl", "pddl-1.0": "pddl"}
_VARIANTS = ("-only", "-or-later")


def normal(licence: str) -> str:
    """A licence id as the Hub writes it: lower case, the SPDX variants folded."""
    lower = licence.strip().lower().replace(" ", "-")
    for variant in _VARIANTS:
        if lower.removesuffix(variant) in TERMS:
            lower = lower.removesuffix(variant)
    return _SPDX.get(lower, lower)


def combine(
    licences: Mapping[str, str], allow_unknown: bool = False, stated: str | None = None
) -> Combined:
    """The licence that rows of all these sources may be published under.

    Args:
        licences: source name -> licence id as the recipe states it.
        allow_unknown: publish although a source's licence is not in the table.
        stated: the licence a person takes responsibility for, in place of the combined one; a
            source that forbids redistribution stays refused.

    Raises:
        UserError: a source forbids redistribution, has an unknown licence (unless allowed), or
            two sources ask for licences that exclude each other.
    """
    ids = {source: normal(licence) for source, licence in sorted(licences.items())}
    _refuse_forbidden(ids)
    if stated is not None:
        return Combined(normal(stated)) if normal(stated) in TERMS else Combined("other", stated)
    unknown = {source: one for source, one in ids.items() if one not in TERMS}
    if unknown and not allow_unknown:
        raise UserError(
            f"licence not known to permit redistribution: {_listed(unknown)}; "
            "state it as sources.NAME.license (base.license for a base model) "
            "in params.yaml, or give --allow-unknown-licence"
        )
    if unknown:
        return Combined("unknown") if len(unknown) == len(ids) else _several(ids)
    return _known(ids)


def _refuse_forbidden(ids: Mapping[str, str]) -> None:
    forbidden = {
        source: one for source, one in ids.items() if one in TERMS and not TERMS[one].redistribution
    }
    if forbidden:
        raise UserError(
            f"licence forbids redistribution: {_listed(forbidden)}; "
            "leave the tables with their rows out (--tables)"
        )


def _known(ids: Mapping[str, str]) -> Combined:
    distinct = sorted(set(ids.values()), key=lambda one: (TERMS[one].rank, one))
    if len(distinct) <= 1:
        return Combined(distinct[0] if distinct else "cc0-1.0")
    own = [one for one in distinct if TERMS[one].own_terms]
    bound = [one for one in distinct if TERMS[one].share_alike]
    limited = [one for one in distinct if TERMS[one].non_commercial]
    if own:
        plain = all(TERMS[one].rank <= 3 and not TERMS[one].share_alike for one in distinct)
        return Combined(own[0]) if len(own) == 1 and plain else _several(ids)
    if bound:
        clash = [one for one in {*bound, *limited} if not _under(one, bound[0])]
        if clash:
            wanted = {s: one for s, one in ids.items() if one in {bound[0], *clash}}
            raise UserError(
                f"licences exclude each other: {_listed(wanted)}; "
                "publish their tables apart (--tables), or state the one you cleared (--licence)"
            )
        return Combined(bound[0])
    return Combined((limited or distinct)[-1])


def _under(licence: str, bound: str) -> bool:
    """Whether rows of a licence may go under a share-alike one."""
    if licence == bound:
        return True
    return TERMS[bound].non_commercial and not TERMS[licence].share_alike


def _several(ids: Mapping[str, str]) -> Combined:
    return Combined("other", " and ".join(sorted(set(ids.values()))))


def _listed(ids: Mapping[str, str]) -> str:
    return ", ".join(f"{source} ({licence})" for source, licence in ids.items())
