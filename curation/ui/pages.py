"""Pages of the app: the report's style and escaping, and templates of their own."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import jinja2

from curation.audit.report.page import environment

NAV = (
    ("/", "Overview"),
    ("/ask", "Ask"),
    ("/pairs", "Pairs"),
    ("/what-if", "What if"),
    ("/review", "Review"),
)
STATIC = {"app.css": "text/css", "app.js": "text/javascript", "icon.svg": "image/svg+xml"}


@cache
def _templates() -> jinja2.Environment:
    return environment("curation.ui")


def render(template: str, **values: Any) -> str:
    """A page, or the part of one that a script asks for."""
    return _templates().get_template(template).render(nav=NAV, **values)


@cache
def static(name: str) -> str:
    """The style sheet (the report's and the app's own) or the script."""
    own = files("curation.ui").joinpath("templates", name).read_text("utf-8")
    if name != "app.css":
        return own
    base = files("curation.audit.report").joinpath("templates", "style.css").read_text("utf-8")
    return f"{base}\n{own}"
