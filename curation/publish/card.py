"""Cards: a YAML header for the Hub, then Markdown; every text that is not ours is escaped."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import jinja2
import yaml
from markupsafe import Markup, escape

from curation.publish.layout import Config
from curation.publish.licences import Combined

_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
)
_MARKS = re.compile(r"([\\`*\[\]|])")  # what Markdown would read as more than text


def render(template: str, values: Mapping[str, Any]) -> str:
    """Fill one of the templates.

    Args:
        template: dataset or model.
        values: what the template names; lists of dicts become tables, their keys the heads.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("curation.publish", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = cell
    params = yaml.safe_dump(values["params"], sort_keys=True, allow_unicode=True, width=100)
    filled = dict(values) | {"params": params.rstrip("\n"), "fence": _fence(params)}
    return environment.get_template(f"{template}.md.j2").render(filled) + "\n"


def cell(value: Any) -> Markup:
    """One value as the text of a Markdown table's cell."""
    if value is None:
        return Markup("")
    if isinstance(value, bool):
        return Markup(str(value).lower())
    if isinstance(value, int):
        return Markup(f"{value:,}")
    if isinstance(value, float):
        return Markup("not a number" if math.isnan(value) else f"{value:.4g}")
    line = " ".join(str(value).split())
    return Markup(_MARKS.sub(r"\\\1", str(escape(line))))


def licence_fields(licence: Combined) -> dict[str, str]:
    """The licence as the fields of a header."""
    if licence.name is None:
        return {"license": licence.id}
    return {"license": licence.id, "license_name": _slug(licence.name)}


def configs_field(configs: list[Config]) -> list[dict[str, Any]]:
    """The configs of a header: the first one is what load_dataset gives without a name."""
    made = []
    for at, config in enumerate(configs):
        files = [
            {"split": split, "path": f"data/{config.name}/{split}-*.parquet"}
            for split in config.splits
        ]
        default = {"default": True} if at == 0 else {}
        made.append({"config_name": config.name, "data_files": files} | default)
    return made


def size_category(rows: int) -> str:
    """The Hub's name for a size in rows."""
    return next((name for limit, name in _SIZES if rows < limit), "n>100M")


def hub_ids(sources: list[dict[str, Any]]) -> list[str]:
    """Ids on the Hub of the sources that come from there (hf://ORG/NAME/FILE)."""
    found = set()
    for row in sources:
        parts = str(row.get("from") or "").removeprefix("hf://").split("/")
        if str(row.get("from") or "").startswith("hf://"):
            parts = parts[1:] if parts[0] == "datasets" else parts
            found.add("/".join(parts[:2]))
    return sorted(found)


def _fence(text: str) -> str:
    """A fence longer than any run of backticks inside the text."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    return "`" * max(3, longest + 1)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.-]+", "-", text.lower()).strip("-")
