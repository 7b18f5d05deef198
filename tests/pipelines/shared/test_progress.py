"""DVC's lines become ours: a stage's place, its usual time, what is left; nothing for the rest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.shared.progress import Progress, spoken, timings


def test_a_build_reads_as_a_line_a_stage() -> None:
    progress = Progress(["code", "pair@iter1", "dpo@iter1"], {"pair@iter1": 12.4, "dpo@iter1": 190})
    said = """Stage 'code' didn't change, skipping
Running stage 'pair@iter1':
> python -m pipelines.stages.pair --iteration iter1
pair@iter1: 8 in, 8 kept, 0 rejected, 0.2 s
Updating lock file 'dvc.lock'

Running stage 'dpo@iter1':
> python -m pipelines.stages.dpo
step 10/20""".splitlines()
    assert [shown for one in said if (shown := progress.line(one)) is not None] == [
        "[2/3] pair@iter1 (about 12 s, at most 3 min 22 s left)",
        "pair@iter1: 8 in, 8 kept, 0 rejected, 0.2 s",
        "[3/3] dpo@iter1 (about 3 min 10 s)",
        "step 10/20",
    ]
    assert progress.waiting(65) == "[3/3] dpo@iter1: 1 min 5 s so far, 3 min 10 s last time"


def test_without_a_known_graph_or_times_no_guess_is_made() -> None:
    progress = Progress([], {})
    assert progress.line("Running stage 'base':") == "[1] base"
    assert progress.line("Stage 'sft' is cached - skipping run, checking out outputs") == (
        "[2] sft: taken from the cache"
    )
    assert progress.line("ERROR: failed to reproduce 'dpo'") == "ERROR: failed to reproduce 'dpo'"
    assert progress.waiting(3) == "dvc: 3 s so far"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59.6, "1 min 0 s"), (7500, "2 h 5 min")]
)
def test_times_are_said_as_people_do(seconds: float, words: str) -> None:
    assert spoken(seconds) == words


def test_timings_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "pair@iter1.json").write_text(json.dumps({"stage": "pair@iter1", "seconds": 2.5}))
    (tmp_path / "torn.json").write_text('{"stage": "x"')
    assert timings(tmp_path) == {"pair@iter1": 2.5}
    assert timings(tmp_path / "none") == {}
