"""Which engine the recipe names: in this process, or in several."""

from __future__ import annotations

from pathlib import Path

from training.engines import embedded
from training.engines.protocol import Sampler, Scorer
from training.engines.settings import Engine


def sampler(engine: Engine, policy: Path) -> Sampler:
    """The sampler of a policy under the recipe's engine."""
    if engine.data_parallel > 1:
        from training.engines.parallel import ParallelSampler

        return ParallelSampler(engine, policy)
    return embedded.sampler(engine, policy)


def scorer(engine: Engine, judge: Path) -> Scorer:
    """The scorer of a reward model under the recipe's engine."""
    if engine.data_parallel > 1:
        from training.engines.parallel import ParallelScorer

        return ParallelScorer(engine, judge)
    return embedded.scorer(engine, judge)
