"""This process and Ray's actors do the same work; a dead actor, machine or driver costs no row."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import polars as pl
import psutil
import pytest

from curation.core.errors import UserError
from pipelines.core.params import placement
from pipelines.core.params.placement import Placement
from pipelines.shared import workers
from pipelines.shared.workers import Job

pytestmark = pytest.mark.slow


def squares(engine: int, items: Sequence[int]) -> pl.DataFrame:
    return pl.DataFrame({"n": [item * item for item in items]})


def dies_once(marker: Path, at: int, engine: int, items: Sequence[int]) -> pl.DataFrame:
    """Kill its own process the first time that it meets an item."""
    if at in items and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return squares(engine, items)


def dies(engine: int, items: Sequence[int]) -> pl.DataFrame:
    if 4 in items:
        os.kill(os.getpid(), signal.SIGKILL)
    return squares(engine, items)


def refuses() -> int:
    raise UserError("reward.json: no such file; put it there")


def refuses_items(engine: int, items: Sequence[int]) -> pl.DataFrame:
    raise UserError(f"item {items[0]}: not a prompt")


def slowly(engine: int, items: Sequence[int]) -> pl.DataFrame:
    time.sleep(0.5)
    return squares(engine, items)


def done(job: Job[int], parts: int = 6) -> list[list[int]]:
    """What each part gave, by number; part k is the items 2k and 2k + 1."""
    made = workers.run(job, range(parts), lambda number: [2 * number, 2 * number + 1])
    return [frame["n"].to_list() for _, frame in sorted(made, key=lambda one: one[0])]


WANTED = [[4 * k * k, (2 * k + 1) ** 2] for k in range(6)]


def under(monkeypatch: pytest.MonkeyPatch, **placed: object) -> None:
    monkeypatch.setattr(placement, "here", lambda: Placement.model_validate(placed))


@pytest.fixture
def actors(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    under(monkeypatch, ray="local", replicas=2)


def test_this_process_makes_the_engine_once_and_only_if_there_is_work() -> None:
    made: list[int] = []
    job = Job("t", lambda: made.append(1) or 0, squares)  # type: ignore[func-returns-value]
    assert done(job) == WANTED
    assert done(job, parts=0) == []
    assert made == [1]


def test_a_killed_actor_costs_no_row(actors: None, tmp_path: Path) -> None:
    work = partial(dies_once, tmp_path / "died", 4)
    assert done(Job("t", int, work)) == WANTED
    assert (tmp_path / "died").exists()


def test_a_part_that_kills_three_workers_is_named(actors: None) -> None:
    with pytest.raises(UserError, match=r"shard 2: 3 workers died of it.*2 items, the first 4"):
        done(Job("t", int, dies))


def test_what_a_worker_says_of_its_input_is_the_stages_own_line(actors: None) -> None:
    with pytest.raises(UserError, match=r"^reward.json: no such file; put it there$"):
        done(Job("t", refuses, squares))


def test_a_part_that_is_bad_input_ends_the_stage_with_its_line(actors: None) -> None:
    with pytest.raises(UserError, match=r"^item \d+: not a prompt$"):
        done(Job("t", int, refuses_items))


def test_a_cluster_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    for address, told in {
        "auto": r"placement.ray: auto: no cluster to join \(127.0.0.1:1: ",
        "127.0.0.1:1": r"placement.ray: 127.0.0.1:1: no cluster to join",
        "nowhere": r"placement.ray: nowhere: no cluster to join",
        "ray://127.0.0.1:10001": r"placement.ray: name the head as HOST:PORT",
    }.items():
        under(monkeypatch, ray=address)
        with pytest.raises(UserError, match=told):
            done(Job("t", int, squares))


def test_what_holds_no_model_stays_here(monkeypatch: pytest.MonkeyPatch) -> None:
    under(monkeypatch, ray="10.255.255.1:1", replicas=2)
    assert done(Job("t", int, squares, here=True)) == WANTED


@pytest.fixture
def two_nodes() -> Iterator[tuple[object, object]]:
    """A head without CPUs of its own, and a second machine's worth of Ray beside it."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    second = cluster.add_node(num_cpus=1)
    yield cluster, second
    cluster.shutdown()


def test_the_loss_of_a_node_without_a_spare_one_costs_no_row(
    two_nodes: tuple[object, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster, second = two_nodes
    under(monkeypatch, ray=cluster.address, replicas=2, cpus=1)  # type: ignore[attr-defined]
    made = workers.run(Job("t", int, slowly), range(12), lambda number: [number])
    found = {}
    for place, (number, frame) in enumerate(made):
        found[number] = frame["n"].item()
        if place == 2:
            cluster.remove_node(second, allow_graceful=False)  # type: ignore[attr-defined]
    assert found == {number: number * number for number in range(12)}


DRIVER = """
from pipelines.core.params import placement
from pipelines.core.params.placement import Placement
from tests.pipelines.shared.test_workers import slowly
from pipelines.shared import workers
placement.here = lambda: Placement(ray="local", replicas=2)
for number, _ in workers.run(workers.Job("t", int, slowly), range(500), lambda n: [n]):
    print(number, flush=True)
"""


def test_a_killed_driver_leaves_no_process_of_ray(root: Path) -> None:
    pytest.importorskip("ray")
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER], cwd=root, stdout=subprocess.PIPE, text=True
    )
    assert driver.stdout is not None
    assert driver.stdout.readline() == "0\n"
    below = psutil.Process(driver.pid).children(recursive=True)
    assert any("raylet" in " ".join(one.cmdline()) for one in below)
    driver.kill()
    driver.wait()
    _, alive = psutil.wait_procs(below, timeout=60)
    assert alive == []
