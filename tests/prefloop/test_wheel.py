"""The built wheel in an environment of its own: a project anywhere, and stages that run in it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow


class Installed:
    """An environment that holds the wheel, and all that it needs from this one."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "env" / "bin"
        wheels = folder / "wheels"
        build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
        subprocess.run([*build, "--directory", str(wheels)], cwd=ROOT, check=True)
        venv.create(folder / "env")
        site = next((folder / "env").glob("lib/python*/site-packages"))
        (site / "needs.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
        (wheel,) = wheels.glob("*.whl")
        pip = [sys.executable, "-m", "pip", "--python", str(self.bin / "python"), "install"]
        told = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
        subprocess.run([*pip, *told, str(wheel)], check=True)

    def run(
        self, *words: str, cwd: Path, code: int = 0, path: str | None = None
    ) -> tuple[str, str]:
        """stdout and stderr of a program of this environment, or of PATH."""
        beside = os.pathsep.join([str(self.bin), str(Path(sys.executable).parent)])
        env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        env["PATH"] = f"{beside}{os.pathsep}{os.environ['PATH']}" if path is None else path
        program = self.bin / words[0]
        first = str(program) if program.exists() else words[0]
        done = subprocess.run(
            [first, *words[1:]], cwd=cwd, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout, done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def made(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of the small recipe that `prefloop init` has made."""
    folder = tmp_path_factory.mktemp("projects")
    said, _ = installed.run("prefloop", "init", "own", "--recipe", "ci", cwd=folder)
    assert said.splitlines()[0].startswith("own: the recipe ci, ")
    return folder / "own"


def test_stages_run_in_a_project_without_code(installed: Installed, made: Path) -> None:
    assert not (made / "pipelines").exists()
    assert (made / ".git").is_dir()
    assert (made / ".dvc" / "plots" / "points.json").is_file()
    said, _ = installed.run("prefloop", "repro", "standardize@hh_rlhf", cwd=made)
    assert "standardize@hh_rlhf" in said
    table = made / "data/sources/preference/hh_rlhf/table.parquet"
    assert table.is_file()
    again, _ = installed.run("dvc", "status", "standardize@hh_rlhf", cwd=made)
    assert "up to date" in again


def test_commands_find_the_project_from_a_folder_below(installed: Installed, made: Path) -> None:
    said, _ = installed.run("prefloop", "params", "seeds.split", cwd=made / "data" / "sample")
    assert "params.yaml:" in said


def test_another_version_makes_the_stages_stale(installed: Installed, made: Path) -> None:
    stamp = made / "installed.json"
    now = stamp.read_text("utf-8")
    assert '"version": "0.1.0"' in now
    stamp.write_text('{"version": "0.0.1"}\n', "utf-8")
    said, _ = installed.run("dvc", "status", "code", cwd=made)
    assert "modified:           installed.json" in said
    installed.run("prefloop", "repro", "--dry", "code", cwd=made)
    assert stamp.read_text("utf-8") == now


def test_a_folder_that_holds_something_stays_as_it_is(installed: Installed, made: Path) -> None:
    before = sorted(made.iterdir())
    _, error = installed.run("prefloop", "init", "own", cwd=made.parent, code=2)
    assert error == "init: own: not empty; name a new folder\n"
    assert sorted(made.iterdir()) == before


def test_what_is_missing_is_named(installed: Installed, made: Path, tmp_path: Path) -> None:
    _, error = installed.run("prefloop", "init", "x", cwd=tmp_path, code=2, path=str(tmp_path))
    assert error == ("init: git is not installed, or not on PATH: see https://git-scm.com\n")
    assert not (tmp_path / "x").exists()
    stage = [sys.executable, "-I", "-S", "-c"]
    code = f"import sys; sys.path.append({str(ROOT)!r}); import pipelines.stages"
    _, error = installed.run(*stage, code, cwd=tmp_path, code=1)
    assert error.startswith(f"prefloop: {sys.executable} has none of what a stage needs: activate")
    assert error.count("\n") == 1


def test_version_words_and_completion(installed: Installed, tmp_path: Path) -> None:
    assert installed.run("prefloop", "--version", cwd=tmp_path)[0] == "prefloop 0.1.0\n"
    _, error = installed.run("prefloop", "repo", cwd=tmp_path, code=2)
    assert error == "prefloop: repo: no such command; did you mean repro?\n"
    script, _ = installed.run("prefloop", "completion", "bash", cwd=tmp_path)
    check = f"{script}\n_shtab_prefloop_compgen_x() {{ :; }}\necho ok"
    assert subprocess.run(["bash", "-n"], input=check, text=True, check=False).returncode == 0
    assert "what-if" in script
    assert "--length-penalty" in script
