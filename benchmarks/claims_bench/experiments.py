"""Seeds of the bench as `dvc exp` runs in clones of the checkout, two at a time, kept when done."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from curation.core.errors import UserError
from pipelines.commands.repro import environment
from pipelines.core.params.text import read
from pipelines.shared import recipes

FILES = {"graph.yaml": "dvc.yaml", "claims.yaml": "claims.yaml"}
DECIDES = (  # what a seed's numbers depend on
    "benchmarks/claims_bench/arms.py",
    "benchmarks/claims_bench/evaluating.py",
    "benchmarks/claims_bench/models.py",
    "benchmarks/claims_bench/stage.py",
    "benchmarks/claims_bench/steps.py",
    "benchmarks/claims_bench/tables.py",
    "curation",
    "data/sample",
    "pipelines",
    "recipes/claims",
    "recipes/sample.yaml",
    "training",
)
ORDER = ("models", "pairing", "loop", "length")  # stages that leave figures
_SETTING_UP = threading.Lock()
_RUNNING: dict[int, subprocess.Popen[bytes]] = {}  # by seed

Result = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """One run of the bench.

    Attributes:
        checkout: the repository.
        commit: what is measured; the clones are of it.
        short: the form for CI: the numbers are of models that learn next to nothing.
        jobs: seeds at a time, one thread each.
    """

    checkout: Path
    commit: str
    short: bool
    jobs: int

    @property
    def work(self) -> Path:
        """The ignored folder in which clones, cache and finished seeds of this code are kept."""
        key = hashlib.sha256()
        for path in DECIDES:
            key.update(_git(self.checkout, "rev-parse", f"{self.commit}:{path}").encode())
        name = key.hexdigest()[:12] + ("-short" if self.short else "")
        return self.checkout / ".work/claims" / name

    def changes(self, seed: int) -> list[str]:
        """What differs from recipes/claims for one seed, as `dvc exp run -S` takes it."""
        folder = self.checkout / "recipes/claims"
        recipe = read(folder / "recipe.yaml").values
        own = yaml.safe_load((folder / "claims.yaml").read_text("utf-8"))
        moved = {name: value + 1000 * seed for name, value in recipe["seeds"].items()}
        own_moved = {"seed": seed, "world_seed": own["world_seed"] + 1000 * seed}
        own_moved["second_seed"] = own["second_seed"] + 1000 * seed
        files = {"params.yaml": {"seeds": moved}, "claims.yaml": own_moved}
        found = [line for name, told in files.items() for line in _dotted(name, told)]
        if self.short:
            small = yaml.safe_load((folder / "short.yaml").read_text("utf-8"))
            found += [line for name, told in small.items() for line in _dotted(name, told)]
        return found


def revision(checkout: Path, name: str) -> str:
    """The full hash of a git revision.

    Raises:
        UserError: there is none.
    """
    try:
        return _git(checkout, "rev-parse", "--verify", f"{name}^{{commit}}")
    except subprocess.CalledProcessError as error:
        raise UserError(f"{name}: no such git revision in {checkout}") from error


def run(bench: Bench, seeds: Iterable[int], stages: set[str]) -> list[Result]:
    """Results of the seeds that lack figures of the stages, and of those that have them already.

    Raises:
        UserError: a seed's experiment failed; the others have ended and are kept.
    """
    wanted = sorted(stages, key=ORDER.index)
    todo = [seed for seed in seeds if not _done(bench, seed, wanted)]
    _say(f"{len(todo)} of {len(list(seeds))} seeds to run, {bench.jobs} at a time; {bench.work}")
    free = list(range(bench.jobs))
    failed: list[str] = []

    def one(seed: int) -> None:
        place = free.pop()
        try:
            _experiment(bench, place, seed, wanted)
        except (UserError, subprocess.CalledProcessError) as error:
            failed.append(str(error))
            _say(str(error))
        finally:
            free.append(place)

    with ThreadPoolExecutor(bench.jobs) as pool:
        try:
            list(pool.map(one, todo))
        except BaseException:  # stopped: no seed goes on without us
            pool.shutdown(wait=False, cancel_futures=True)
            for process in _RUNNING.values():
                process.terminate()
            raise
    if failed:
        raise UserError("; ".join(failed))
    return [told for seed in seeds if (told := load(bench, seed))]


def load(bench: Bench, seed: int) -> Result | None:
    """What is kept of one seed."""
    path = bench.work / f"seed-{seed}.json"
    if not path.is_file():
        return None
    found: Result = json.loads(path.read_text("utf-8"))
    return found


def _done(bench: Bench, seed: int, stages: list[str]) -> bool:
    told = load(bench, seed)
    return told is not None and set(stages) <= set(told["figures"])


@dataclass(frozen=True)
class Run:
    """One experiment: a seed, the stages it is run for, its name and its `-S` changes."""

    seed: int
    stages: list[str]
    changes: list[str]

    @property
    def name(self) -> str:
        """The experiment's name."""
        return f"claims-{self.seed}-{'-'.join(self.stages)}"

    @property
    def command(self) -> list[str]:
        """The command line that runs it."""
        sets = [word for line in self.changes for word in ("-S", line)]
        return [_dvc(), "exp", "run", "--name", self.name, *sets, *self.stages]


def _experiment(bench: Bench, place: int, seed: int, stages: list[str]) -> None:
    clone = _clone(bench, place)
    log = bench.work / f"seed-{seed}.log"
    run = Run(seed, stages, bench.changes(seed))
    started = time.monotonic()
    _say(f"seed {seed}: {', '.join(stages)} (log: {log})")
    with log.open("a") as out:
        process = subprocess.Popen(
            run.command,
            cwd=clone,
            env={**environment(), "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        _RUNNING[seed] = process
        code = _watched(process, seed, log)
        del _RUNNING[seed]
    if code:
        raise UserError(f"seed {seed}: dvc exp run ended with code {code}; see {log}")
    _keep(bench, clone, run, time.monotonic() - started)


def _watched(process: subprocess.Popen[bytes], seed: int, log: Path) -> int:
    """Wait, and say every half minute where the seed is."""
    while True:
        try:
            return process.wait(30)
        except subprocess.TimeoutExpired:
            lines = [line for line in log.read_text("utf-8", "replace").splitlines() if line]
            _say(f"seed {seed}: {lines[-1][:120] if lines else 'starting'}")


def _keep(bench: Bench, clone: Path, run: Run, seconds: float) -> None:
    """Add the experiment's figures to what is kept of its seed."""
    told: Result = load(bench, run.seed) or {"figures": {}, "experiments": {}, "seconds": 0.0}
    told |= {"seed": run.seed, "code": bench.commit, "changes": run.changes}
    told["seconds"] += seconds
    for stage in run.stages:
        told["figures"][stage] = json.loads((clone / f"data/{stage}.json").read_text("utf-8"))
        told["experiments"][stage] = {"name": run.name, "commit": _revision_of(clone, run.name)}
    path = bench.work / f"seed-{run.seed}.json"
    temp = path.with_suffix(".part")
    temp.write_text(json.dumps(told, indent=1, sort_keys=True), "utf-8")
    temp.replace(path)
    _say(f"seed {run.seed}: done in {seconds:.0f} s, experiment {run.name}")


def _revision_of(clone: Path, name: str) -> str:
    refs = _git(clone, "for-each-ref", "--format=%(objectname) %(refname)", "refs/exps")
    found = [line.split()[0] for line in refs.splitlines() if line.endswith(f"/{name}")]
    return found[0]


def _clone(bench: Bench, place: int) -> Path:
    """A clone at the commit, set up with the bench's graph, on the cache that all clones share."""
    clone = bench.work / f"clone-{place}"
    with _SETTING_UP:
        if (clone / "claims.yaml").is_file():
            return clone
        shutil.rmtree(clone, ignore_errors=True)
        clone.parent.mkdir(parents=True, exist_ok=True)
        _git(bench.checkout, "clone", "-q", "--no-checkout", str(bench.checkout), str(clone))
        _git(clone, "checkout", "-q", "--detach", bench.commit)
        subprocess.run(
            [_dvc(), "cache", "dir", "-q", "--local", str(bench.checkout / ".work/claims/cache")],
            cwd=clone,
            check=True,
        )
        for source, target in FILES.items():
            shutil.copyfile(clone / "recipes/claims" / source, clone / target)
        recipe = clone / "recipes/claims/recipe.yaml"
        (clone / "params.yaml").write_text(recipes.whole(recipe), "utf-8")
        identity = ["-c", "user.name=claims bench", "-c", "user.email=bench@example.invalid"]
        _git(clone, "add", "-A")
        _git(clone, *identity, "commit", "-qm", f"The claims bench at {bench.commit[:12]}")
    return clone


def _dotted(file: str, told: dict[str, Any], above: str = "") -> Iterator[str]:
    for key, value in told.items():
        if isinstance(value, dict):
            yield from _dotted(file, value, f"{above}{key}.")
        else:
            yield f"{file}:{above}{key}={json.dumps(value)}"


def _dvc() -> str:
    return str(Path(sys.executable).parent / "dvc")


def _git(folder: Path, *args: str) -> str:
    done = subprocess.run(
        ["git", *args], cwd=folder, check=True, capture_output=True, text=True, env=os.environ
    )
    return done.stdout.strip()


def _say(text: str) -> None:
    print(f"claims: {time.strftime('%H:%M:%S')} {text}", flush=True)
