"""Every format by its name in params.yaml."""

from __future__ import annotations

from curation.core.errors import UserError
from curation.core.words import meant
from curation.sources import compared, generic, pairs, prompt_sets, rated, summaries
from curation.sources import demonstrations as sft
from curation.sources.base import Format

_MODULES = (pairs, rated, summaries, generic, compared, sft, prompt_sets)
FORMATS: dict[str, Format] = {
    one.name: one for module in _MODULES for one in vars(module).values() if isinstance(one, Format)
}
"""Every `Format` that stands in one of the modules, by its name."""


def find(name: str, kind: str, key: str) -> Format:
    """The format of this name.

    Raises:
        UserError: no format has the name, or it reads rows of another kind than `key` declares.
    """
    if name not in FORMATS:
        alike = [one.name for one in FORMATS.values() if one.kind == kind]
        raise UserError(f"{key}.format: no format is named {name}; {meant(name, alike)}")
    found = FORMATS[name]
    if found.kind != kind:
        raise UserError(f"{key}.format: {name} reads {found.kind} rows, but kind is {kind}")
    return found
