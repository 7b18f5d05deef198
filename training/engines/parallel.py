"""Data parallel: the same engine in several processes, one per GPU (or group of GPUs).

The work is dealt out by item and comes back by place. A response is fixed by its own seed and a
reward by its own prompt, so on the CPU the tables are the same whatever the number of processes.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from training.core.environment import cores
from training.engines.protocol import PLAIN, Request, Response, Sampling
from training.engines.settings import Engine

_PR_SET_PDEATHSIG = 1


class Workers:
    """Processes that hold one engine each; they end with this one.

    Args:
        kind: sampler or scorer.
        engine: the recipe's engine; `data_parallel` says how many.
        path: the checkpoint that each of them loads.

    Raises:
        UserError: one of them can't start; the message is its own.
    """

    def __init__(self, kind: str, engine: Engine, path: Path) -> None:
        self._pipes: list[Connection] = []
        context = get_context("spawn")
        alone = replace(engine, data_parallel=1)
        for environment in shares(engine, visible_gpus()):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_serve, args=(theirs, kind, alone, path, environment), daemon=True
            )
            process.start()
            theirs.close()
            self._pipes.append(ours)
        ready = [_answer(pipe) for pipe in self._pipes]
        self.facts: dict[str, Any] = ready[0]

    def call(self, parts: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Each process's answer to its own arguments, all at work at the same time."""
        for pipe, part in zip(self._pipes, parts, strict=True):
            pipe.send(part)
        return [_answer(pipe) for pipe in self._pipes]

    def close(self) -> None:
        """Tell the processes to end."""
        for pipe in self._pipes:
            pipe.close()

    def __len__(self) -> int:
        return len(self._pipes)


class ParallelSampler:
    """A sampler whose requests are dealt out over processes."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self._workers = Workers("sampler", engine, path)
        facts = self._workers.facts
        self.name, self.version = str(facts["name"]), str(facts["version"])
        self.context = int(facts["context"])

    def sample(
        self,
        requests: Sequence[Request],
        max_new_tokens: int,
        stop: Sequence[int] = (),
        sampling: Sampling = PLAIN,
    ) -> list[list[Response]]:
        """Responses per request, in the order of its draws."""
        dealt = [range(place, len(requests), len(self._workers)) for place in range(self._count)]
        parts = [
            ([requests[k] for k in share], max_new_tokens, list(stop), sampling) for share in dealt
        ]
        return _by_place(dealt, self._workers.call(parts), len(requests))

    @property
    def _count(self) -> int:
        return len(self._workers)

    def close(self) -> None:
        """End the processes."""
        self._workers.close()


class ParallelScorer:
    """A scorer whose prompts, each with all its responses, are dealt out over processes."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self._workers = Workers("scorer", engine, path)
        self.name, self.dtype = str(self._workers.facts["name"]), engine.dtype

    def score(
        self, items: Sequence[Sequence[int]], prompts: Sequence[int] | None = None
    ) -> list[float]:
        """The raw score of each sequence, as one scorer alone would give it."""
        lengths = prompts or [0] * len(items)
        groups: dict[tuple[int, ...], list[int]] = {}
        for place, (item, length) in enumerate(zip(items, lengths, strict=True)):
            groups.setdefault(tuple(item[:length] or item), []).append(place)
        whole, count = list(groups.values()), len(self._workers)
        dealt = [[k for group in whole[at::count] for k in group] for at in range(count)]
        parts = [([items[k] for k in share], [lengths[k] for k in share]) for share in dealt]
        return _by_place(dealt, self._workers.call(parts), len(items))


def shares(engine: Engine, gpus: list[str]) -> list[dict[str, str]]:
    """The environment of each process: its GPUs, or its part of the CPU's cores.

    Raises:
        UserError: more GPUs are asked for than are visible.
    """
    count, each = engine.data_parallel, engine.tensor_parallel
    if not gpus:
        return [{"OMP_NUM_THREADS": str(max(1, cores() // count))}] * count
    if count * each > len(gpus):
        raise UserError(
            f"engine.data_parallel {count} x tensor_parallel {each} needs {count * each} GPUs; "
            f"{len(gpus)} are visible"
        )
    return [
        {"CUDA_VISIBLE_DEVICES": ",".join(gpus[at * each : (at + 1) * each])} for at in range(count)
    ]


def visible_gpus() -> list[str]:
    """Names of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES has them."""
    import torch

    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = torch.cuda.device_count()
    return named.split(",")[:count] if named else [str(k) for k in range(count)]


def _by_place(dealt: Sequence[Sequence[int]], answers: Sequence[Any], size: int) -> list[Any]:
    result: list[Any] = [None] * size
    for share, answer in zip(dealt, answers, strict=True):
        for place, value in zip(share, answer, strict=True):
            result[place] = value
    return result


def _answer(pipe: Connection) -> Any:
    """The next answer; an error of the process is raised here."""
    try:
        fine, value = pipe.recv()
    except EOFError:
        raise UserError(
            "engine.data_parallel: a process died (see its output above; out of memory is the "
            "usual reason: lower engine.memory_share or batch_tokens)"
        ) from None
    if not fine:
        raise UserError(value)
    return value


def _serve(
    pipe: Connection, kind: str, engine: Engine, path: Path, environment: dict[str, str]
) -> None:
    """A process's life: load the engine, answer until the other side closes."""
    os.environ.update(environment)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    from training.core import environment as process

    process.prepare()
    from training.engines import embedded

    try:
        load = embedded.sampler if kind == "sampler" else embedded.scorer
        made: Any = load(engine, path)
    except UserError as error:
        pipe.send((False, str(error)))
        return
    facts = ("name", "version", "context") if kind == "sampler" else ("name", "dtype")
    pipe.send((True, {name: getattr(made, name) for name in facts}))
    work: Callable[..., Any] = made.sample if kind == "sampler" else made.score
    while True:
        try:
            part = pipe.recv()
        except EOFError:
            return
        pipe.send((True, work(*part)))
