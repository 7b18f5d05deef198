"""A function over a stream on every core, results in the stream's order, few of them waiting.

Only for functions whose work is in Polars and numpy, which let go of the interpreter while they
compute, and that pass no Python function to Polars: its threads would wait for the interpreter and
the thread that holds it for them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import polars as pl

Item = TypeVar("Item")
Result = TypeVar("Result")


def mapped(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """function(item) for each item, as many at a time as Polars has threads."""
    workers = pl.thread_pool_size()
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Result]] = deque()
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
