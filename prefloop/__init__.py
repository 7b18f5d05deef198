"""prefloop: online iterative RLHF as a versioned dataset build.

`prefloop` in a shell. In Python:

    import prefloop as pf

    build = pf.open(".")
    build.pairs("iter2").filter(flags=["length_gap"]).collect()  # Polars, lazy
    build.schema("pairs").columns  # name, type, meaning
    build.sql("select rule, count(*) from rejects group by rule")
    build.why("PAIR_ID").steps
    build.what_if("iter2", length_penalty="auto")["changes"]

    pf.pair(generations, scores, prompts, strategy="best_second").pairs  # frames of your own

The rooms behind it, installed beside it, are `pipelines` (the graph and the commands), `curation`
(tables) and `training` (models).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prefloop.build import Build as Build
    from prefloop.build import open as open  # noqa: A004
    from prefloop.build import pair as pair

__all__ = ["Build", "open", "pair"]


def __getattr__(name: str) -> Any:
    """Import what is asked for: the script must first say what Windows lacks, and start at once."""
    if name not in __all__:
        raise AttributeError(f"module prefloop has no attribute {name}")
    from prefloop import build

    return getattr(build, name)
