"""Training in several processes: a stage that starts itself again under `accelerate launch`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from curation.core.errors import UserError


def together(module: str, argv: Sequence[str] | None, config: str | None) -> None:
    """Replace this process by `accelerate launch` of the same stage, unless it runs there already.

    The graph keeps its one plain command per stage; the recipe names the accelerate config.

    Args:
        module: the stage's module, such as pipelines.stages.dpo.
        argv: the stage's arguments; None for those of this process.
        config: path of an accelerate config; None trains in this process.

    Raises:
        UserError: there is no such file.
    """
    if config is None or "WORLD_SIZE" in os.environ:
        return
    if not Path(config).is_file():
        raise UserError(f"launch: {config}: no such accelerate config; see recipes/accelerate")
    given = list(sys.argv[1:] if argv is None else argv)
    launch = ["-m", "accelerate.commands.launch", "--config_file", config, "-m", module, *given]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *launch])
