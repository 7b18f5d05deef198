"""The judges that a command names on its command line, each as a pairwise one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from curation.core.errors import UserError
from pipelines.core.params import Params
from pipelines.shared import settings

if TYPE_CHECKING:
    from training.judges.pairwise import PairwiseJudge


def named(paths: Sequence[Path], oracle: Path | None, params: Params) -> list[PairwiseJudge]:
    """The judges that --judge and --oracle name; UserError for none, or for two of one name."""
    from training.judges import pairwise
    from training.judges.oracle import Oracle

    found = [pairwise.load(path, settings.engine(params)) for path in paths]
    if oracle is not None:
        function = params.evaluation.oracle.function
        if function is None:
            raise UserError("--oracle: evaluation.oracle.function names no function in the recipe")
        found.append(pairwise.ByReward(Oracle(oracle, function)))
    if not found:
        raise UserError("--judge: name at least one checkpoint, or give --oracle")
    names = [judge.name for judge in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"--judge: two judges are named {twice[0]}; give each once")
    return found
