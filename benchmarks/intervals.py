"""How often 95% intervals of a judge's accuracy hold the truth, several pairs to a prompt.

Run: python -m benchmarks.intervals

Made worlds: each prompt has its own chance of being judged rightly, beta-distributed, so that pairs
of one prompt are right together. `rows` is Wilson's interval with every pair taken as its own,
`prompts` the one that is printed; 4,000 worlds a line.
"""

from __future__ import annotations

import numpy as np

from curation.audit.text import of_rows
from training.measures import intervals

WORLDS = 4000
MEAN = 0.75
SHAPES = ((300, 1, 0.1), (100, 6, 0.05), (100, 6, 0.1), (100, 6, 0.2), (30, 6, 0.1), (1000, 6, 0.1))


def main() -> None:
    """Draw worlds of each shape and print."""
    draw = np.random.default_rng(1)
    print(of_rows([_line(draw, *shape) for shape in SHAPES], digits=3))


def _line(
    draw: np.random.Generator, prompts: int, each: int, correlation: float
) -> dict[str, object]:
    size = 1 / correlation - 1  # of the beta: the correlation of two pairs of one prompt
    groups = np.repeat(np.arange(prompts), each)
    inside = np.zeros((WORLDS, 2))
    width = np.zeros((WORLDS, 2))
    for world in range(WORLDS):
        chance = draw.beta(size * MEAN, size * (1 - MEAN), prompts)
        right = (draw.random(len(groups)) < chance[groups]).astype(float)
        spans = (intervals.wilson(right.sum(), len(right)), intervals.clustered(right, groups))
        for place, (low, high) in enumerate(spans):
            inside[world, place], width[world, place] = low <= MEAN <= high, high - low
    rows, ours = inside.mean(axis=0)
    return {
        "prompts": prompts, "pairs each": each, "correlation": correlation,
        "by rows": float(rows), "by prompts": float(ours),
        "width, rows": float(width[:, 0].mean()), "width, prompts": float(width[:, 1].mean()),
    }  # fmt: skip


if __name__ == "__main__":
    main()
