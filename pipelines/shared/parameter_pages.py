"""The reference of params.yaml: a page, and a JSON Schema by which editors complete and check."""

from __future__ import annotations

import json
from typing import Any

from pipelines.core.params import Params
from pipelines.shared.grids import grid
from pipelines.shared.knobs import Knob, every, placed

_EXTENDS = {
    "extends": {
        "type": "string",
        "description": "A recipe, by name or path, that this one differs from.",
    },
    "remove": {
        "type": "array",
        "items": {"type": "string"},
        "description": "Dotted keys that the extended recipe loses first.",
    },
}


def parameters() -> str:
    """Every knob: a section of the page for each section of params.yaml."""
    intro = (
        "# Parameters\n\nEvery knob of `params.yaml`; an unknown key is an error. `NAME` stands "
        "for the name of an entry. `prefloop params KEY` says the same in the terminal, and "
        "`params.schema.json` to an editor.\n\nA recipe may say `extends: NAME` (or a path) and "
        "then gives what differs: maps are merged key by key, anything else, lists included, is "
        "replaced; `remove: [a.b]` takes keys out first. `prefloop use` writes the whole."
    )
    parts = [intro]
    for head in (one for one in every() if "." not in one.key):
        rows = [_row(one) for one in every() if one.key.startswith(f"{head.key}.")]
        names = ("key", "takes", "default", "what it does")
        parts.append(f"## {head.key}\n\n{head.says}\n\n{grid(names, rows)}")
    parts.append(_placement())
    return "\n\n".join(parts)


def _placement() -> str:
    """The knobs of the file that says where work runs."""
    names = ("key", "takes", "default", "what it does")
    told = (
        "Where work runs, in a file `placement.yaml` of its own: no stage depends on it, no shard "
        "is keyed by it and no recipe holds it, so a change leaves all that is built as it is. "
        "`PREFLOOP_PLACEMENT` names another file."
    )
    return f"## placement.yaml\n\n{told}\n\n{grid(names, [_row(one) for one in placed()])}"


def _row(knob: Knob) -> tuple[str, str, str, str]:
    takes = f"{knob.kind}, {knob.bounds}" if knob.bounds else knob.kind
    unit = f" In {knob.unit}." if knob.unit else ""
    given = "**required**" if knob.default is None else f"`{knob.default}`"
    return f"`{knob.key}`", takes, given, f"{knob.says}{unit}"


def schema() -> str:
    """The JSON Schema of params.yaml and of recipes, the names of formats and rules among it.

    A recipe that extends another needs to say nothing, so a missing key is left to
    `prefloop check-recipe`, but for the sections of a file that extends nothing.
    """
    made = Params.model_json_schema()
    needed = made.pop("required")
    for one in made["$defs"].values():
        one.pop("required", None)
    _name_registries(made["$defs"]["Source"]["properties"])
    made["properties"] = {**_EXTENDS, **made["properties"]}
    made["if"] = {"not": {"required": ["extends"]}}
    made["then"] = {"required": needed}
    made["title"] = "A recipe of prefloop"
    return json.dumps({"$schema": _DIALECT, **made}, indent=1, sort_keys=True) + "\n"


def _name_registries(source: dict[str, Any]) -> None:
    from curation.rules.shared import RULES
    from curation.sources.formats import FORMATS

    source["format"]["enum"] = sorted(FORMATS)
    taking = {
        rule.name: {"description": rule.why}
        for rule in sorted(RULES.values(), key=lambda one: one.name)
        if rule.takes is not None
    }
    source["filters"]["items"] = {
        "anyOf": [
            {"enum": ["structural", *sorted(RULES)]},
            {"type": "object", "properties": taking, "additionalProperties": False},
        ]
    }


_DIALECT = "https://json-schema.org/draft/2020-12/schema"
