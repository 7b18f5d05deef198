"""Training in several processes: a stage that starts itself again under `accelerate launch`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from curation.core.errors import UserError
from pipelines.core import process
from pipelines.core.stage import Stage


def together(run: Stage, config: str | None) -> None:
    """Replace this process by `accelerate launch` of the same stage, unless it runs there already.

    The graph keeps its one plain command per stage; the recipe names the accelerate config.

    Args:
        run: the stage, which knows its module and its command line.
        config: path of an accelerate config; None trains in this process.

    Raises:
        UserError: there is no such file.
    """
    if config is None or "WORLD_SIZE" in os.environ:
        return
    if not Path(config).is_file():
        raise UserError(f"launch: {config}: no such accelerate config; see recipes/accelerate")
    launch = ["-m", "accelerate.commands.launch", "--config_file", config]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *launch, "-m", run.module, *run.argv])


def first() -> bool:
    """Whether this process is the one that goes on once they have trained together.

    It measures what they made and writes the stage's outputs; the others are done.
    """
    return process.rank() == 0
