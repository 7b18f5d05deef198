"""One stage of the bench's graph (recipes/claims/graph.yaml).

Run, in a checkout set up by benchmarks.claims: python -m benchmarks.claims_bench.stage NAME
"""

from __future__ import annotations

import sys


def main(name: str) -> None:
    """Build the tables, the models, or one group of arms."""
    from training.core import environment

    environment.prepare()
    from benchmarks.claims_bench import arms, evaluating, models, tables

    if name == "tables":
        tables.build()
    elif name == "models":
        models.build()
        evaluating.start()
        models.tell()
    else:
        arms.build(name)


if __name__ == "__main__":
    main(sys.argv[1])
