"""Who does the work of a long stage: this process, or Ray's actors on one machine or many.

Either is told how to make an engine (`make`) and what to do with it (`work`), and gives back each
part's frame as it is done. Nothing of who did it reaches a result, so a stage that was killed under
one goes on under the other. No restarts and no retries of Ray's own: they hung beside idle workers
and burnt every try at once. A part whose actor died goes back to the queue, and another actor joins
when it is ready; nobody waits for it.
"""

from __future__ import annotations

import os
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import polars as pl

from curation.core.errors import UserError
from pipelines.core.params import placement
from pipelines.core.params.placement import Placement

E = TypeVar("E")
DEATHS = 3  # actors that one part may kill before it is to blame
_PATIENCE = 30.0  # seconds of silence before a line says what is waited for


class Parts(Protocol):
    """A table or a list: what a stage is to do, cut into parts."""

    def __len__(self) -> int: ...

    def __getitem__(self, place: slice) -> Any: ...


@dataclass(frozen=True)
class Job(Generic[E]):
    """What a worker does; both functions travel to it, so they hold little.

    Attributes:
        name: the stage, as its lines begin.
        make: loads the engine where it runs.
        work: the frame of one part.
        gpus: GPUs that one engine takes where there are any.
        here: whether it holds no model: more processes would only press a server harder.
    """

    name: str
    make: Callable[[], E]
    work: Callable[[E, Any], pl.DataFrame]
    gpus: int = 1
    here: bool = False


@dataclass(frozen=True)
class Part:
    """One part: its number, and what is to be done."""

    number: int
    items: Any


def run(job: Job[E], numbers: Sequence[int], part: Callable[[int], Any]) -> Iterator[Any]:
    """Each part's number and frame, in the order in which they are done.

    Args:
        job: how to make an engine and what to do with it.
        numbers: the parts to do, in the order in which they are begun.
        part: what is to be done, by number; asked for when a worker is free.

    Raises:
        UserError: what a worker says of its input; a part that killed several workers.
    """
    wanted = placement.here()
    if wanted.ray is None or job.here:
        return Local(job).run(numbers, part)
    return RayPool(job, wanted).run(numbers, part)


class Local(Generic[E]):
    """This process: one part after another, the engine made when the first is begun."""

    def __init__(self, job: Job[E]) -> None:
        self._job = job

    def run(self, numbers: Sequence[int], part: Callable[[int], Any]) -> Iterator[Any]:
        """Each part's number and frame, in order."""
        if not numbers:
            return
        engine = self._job.make()
        try:
            for number in numbers:
                yield number, self._job.work(engine, part(number))
        finally:
            close(engine)


def close(engine: Any) -> None:
    """Give back what an engine holds, if it knows how."""
    if (end := getattr(engine, "close", None)) is not None:
        end()


class RayPool(Generic[E]):
    """Actors that hold one engine each and pull parts: no barrier between parts, none to join.

    Raises:
        UserError: ray is not installed, or the cluster is not there.
    """

    def __init__(self, job: Job[E], wanted: Placement) -> None:
        from pipelines.shared.ray_cluster import Cluster

        self._job = job
        self._cluster = Cluster(wanted)
        self._ray = self._cluster.ray
        self._size = wanted.replicas or self._cluster.room(job.gpus)
        self._options = self._cluster.options(job.gpus, self._size)
        self._starting: dict[Any, Any] = {}  # what becomes ready -> actor
        self._busy: dict[Any, tuple[Any, Part]] = {}
        self._idle: deque[Any] = deque()
        self._deaths: Counter[int] = Counter()
        self._false_starts = 0

    def run(self, numbers: Sequence[int], part: Callable[[int], Any]) -> Iterator[Any]:
        """Each part's number and frame, as they are done."""
        waiting = deque(numbers)
        try:
            for _ in range(min(self._size, len(waiting))):
                self._start()
            while waiting or self._busy:
                while waiting and self._idle:
                    number = waiting.popleft()
                    self._give(self._idle.popleft(), Part(number, part(number)))
                done = self._next(len(waiting))
                if done in self._starting:
                    self._joined(done)
                elif (result := self._done(done, waiting)) is not None:
                    yield result
        finally:
            self._end()

    def _start(self) -> None:
        actor = self._cluster.actor(_Worker, self._options, self._job, Path.cwd())
        self._starting[actor.ready.remote()] = actor

    def _give(self, actor: Any, part: Part) -> None:
        self._busy[actor.work.remote(part.items)] = (actor, part)

    def _next(self, waiting: int) -> Any:
        """Whatever is done next; a line now and then while nothing is."""
        while True:
            found, _ = self._ray.wait([*self._busy, *self._starting], timeout=_PATIENCE)
            if found:
                return found[0]
            if not self._busy:
                told = f"{waiting} shards wait for a worker; {self._cluster.told()}"
                print(f"{self._job.name}: {told}", file=sys.stderr, flush=True)

    def _joined(self, ready: Any) -> None:
        """An actor that was starting takes part, or another one is started in its place."""
        actor = self._starting.pop(ready)
        reason = self._given(ready)[1]
        if reason is None:
            self._false_starts = 0
            self._idle.append(actor)
            return
        self._false_starts += 1
        if self._false_starts == DEATHS:
            raise UserError(
                f"placement.ray: {DEATHS} workers in a row died while they loaded the model "
                f"({reason}); out of memory is the usual reason: lower replicas or memory_share"
            )
        self._start()

    def _done(self, result: Any, waiting: deque[int]) -> Any:
        """A part's number and frame; None where its actor died and the part is to be done again."""
        actor, part = self._busy.pop(result)
        frame, reason = self._given(result)
        if reason is None:
            self._idle.append(actor)
            return part.number, frame
        self._deaths[part.number] += 1
        if self._deaths[part.number] == DEATHS:
            raise UserError(
                f"shard {part.number}: {DEATHS} workers died of it, the last by {reason}; it holds "
                f"{_told(part.items)}; look at these, or lower engine.shard_prompts"
            )
        print(f"{self._job.name}: shard {part.number}: its worker died; again", flush=True)
        waiting.appendleft(part.number)
        self._start()
        return None

    def _given(self, result: Any) -> tuple[Any, str | None]:
        """What an actor gave, or why it died before it gave anything.

        Raises:
            UserError: what its code said of the input, as it would have said here.
        """
        errors = self._ray.exceptions
        try:
            return self._ray.get(result), None
        except errors.RayActorError as error:
            return None, str(error).strip().splitlines()[0]
        except errors.RayTaskError as error:
            raise error.cause from None

    def _end(self) -> None:
        busy = [actor for actor, _ in self._busy.values()]
        for actor in (*self._starting.values(), *self._idle, *busy):
            self._ray.kill(actor)
        self._cluster.leave()


def _told(items: Any) -> str:
    """The first of a part's items and how many there are, in a few words."""
    first = items.row(0) if isinstance(items, pl.DataFrame) else items[0]
    return f"{len(items)} items, the first {str(first)[:160]}"


class _Worker:
    """An actor: the engine, made once, and what is done with it."""

    def __init__(self, job: Job[Any], root: Path, threads: str | None) -> None:
        if threads is not None:
            os.environ["OMP_NUM_THREADS"] = threads
        self._job, self._root = job, root
        self._engine: Any = None

    def ready(self) -> None:
        """Make the engine.

        Raises:
            UserError: the project's folder is not there, or the engine can't be made.
        """
        if not self._root.is_dir():
            raise UserError(
                f"{os.uname().nodename}: no folder {self._root}; checkpoints are read where the "
                "stage has them: put the project on a disk that every node mounts at one place"
            )
        os.chdir(self._root)
        self._engine = self._job.make()

    def work(self, items: Any) -> pl.DataFrame:
        """The frame of one part."""
        return self._job.work(self._engine, items)
