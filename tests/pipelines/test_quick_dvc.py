"""dvc.lock is written by a shorter way, and is the file that DVC itself would write."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pipelines.quick_dvc import with_entries

GRAPH = """
stages:
  first:
    foreach: ${sets}
    do:
      cmd: >-
        python write.py data/${key}.txt ${item.text} data/folder_${key}/part.txt --more-words
        "of a command that is longer than one line of the lock file, with 'quotes' and a colon: it"
      params: ['sets.${key}', seed]
      deps: [write.py]
      outs: ['data/${key}.txt', 'data/folder_${key}']
  last:
    cmd: |
      python write.py data/last.json '{"a": 1}'
      python write.py data/other.txt é
    params: [seed, nested]
    deps: [data/one.txt, data/folder_two]
    outs: [data/other.txt]
    metrics: [data/last.json: {cache: false}]
"""
PARAMS = """
seed: 1
nested: {"yes": [1.0e-6, null, true, "1.0", 'on', ""], deep: {text: "a: b # c", long: LONG}}
sets: {one: {text: x, "7": odd}, two: {text: y}}
"""
WRITE = """
import pathlib, sys
for path, text in (sys.argv[1:3], [*sys.argv[3:4], "part"])[: 2 if len(sys.argv) > 3 else 1]:
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(path).write_text(text)
"""


def make(folder: Path) -> Path:
    (folder / "data").mkdir(parents=True)
    (folder / "dvc.yaml").write_text(GRAPH)
    (folder / "params.yaml").write_text(PARAMS.replace("LONG", "word " * 60))
    (folder / "write.py").write_text(WRITE)
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=folder, check=True)
    return folder


def repro(way: str, folder: Path, root: Path, *argv: str) -> bytes:
    module = {"plain": "dvc", "quick": "pipelines.quick_dvc"}[way]
    here = Path(sys.executable).parent
    done = subprocess.run(
        [sys.executable, "-m", module, "repro", *argv],
        cwd=folder,
        env={"PATH": f"{here}:/usr/bin:/bin", "PYTHONPATH": str(root), "DVC_NO_ANALYTICS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return (folder / "dvc.lock").read_bytes()


def test_the_lock_is_dvcs_own_when_made_when_changed_and_when_forced(
    tmp_path: Path, root: Path
) -> None:
    plain, quick = make(tmp_path / "plain"), make(tmp_path / "quick")
    first = repro("plain", plain, root)
    assert repro("quick", quick, root) == first
    assert first.count(b"\n") > 60
    for folder in (plain, quick):
        params = folder / "params.yaml"
        params.write_text(params.read_text().replace("text: y", "text: other"))
    changed = repro("plain", plain, root)
    assert repro("quick", quick, root) == changed != first
    assert repro("quick", quick, root, "--force") == changed
    assert repro("plain", quick, root) == changed


def test_a_lock_of_another_form_is_left_to_dvc() -> None:
    entry = {"a": {"cmd": "true"}}
    lock = with_entries("schema: '2.0'\nstages:\n", [entry])
    assert lock == "schema: '2.0'\nstages:\n  a:\n    cmd: 'true'\n"
    for other in ("", f"{lock}datasets: []\n", lock.replace("  a:", "  # note\n  a:")):
        assert with_entries(other, [entry]) is None
