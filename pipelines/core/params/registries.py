"""What a recipe names in other packages: rules of the ledger, formats and their options.

The registries are looked up in a way that no stage's hash of code follows: a check can refuse a
recipe but changes no output, and a stage that applies rules imports them itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from curation.core.errors import UserError
from curation.core.words import meant

if TYPE_CHECKING:
    from pipelines.core.params.data import Source
    from pipelines.core.params.recipe import Params


def problems(params: Params) -> Iterator[str]:
    """One line, with its dotted key, for each name or value that no registry knows."""
    for name, source in params.sources.items():
        yield from _source(source, f"sources.{name}")
    for rule in params.gates.max_rule_rate:
        if rule not in (known := rules()):
            yield f"gates.max_rule_rate.{rule}: no rule has this name; {meant(rule, known)}"


def rules() -> list[str]:
    """Every rule that may stand in a ledger of rejects."""
    listed = _registry("curation/rules/shared").RULES
    later = _registry("curation/rules/later").LATER
    return sorted({*listed, *later})


def _registry(path: str) -> Any:
    return import_module(path.replace("/", "."))


def _source(source: Source, key: str) -> Iterator[str]:
    formats = _registry("curation/sources/formats")
    filters = _registry("curation/rules/filters")
    try:
        form = formats.find(source.format, source.kind, key)
        form.check_options(source.options, key)
        filters.bind(source.filters, f"{key}.filters")
    except UserError as error:
        yield str(error)
