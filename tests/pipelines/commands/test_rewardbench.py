"""The pairs that RewardBench's files hold, and those that are of another benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from curation.core.errors import UserError
from pipelines.commands.rewardbench import read


def said(*texts: str) -> list[dict[str, str]]:
    return [{"role": ("user", "assistant")[i % 2], "content": t} for i, t in enumerate(texts)]


@pytest.mark.parametrize("side", [str, lambda text: [text], lambda text: said("q", text)])
def test_a_side_is_a_text_or_a_conversations_last_turn(side: Any) -> None:
    row = {"prompt": "q", "chosen": side("good"), "rejected": side("bad"), "subset": "donotanswer"}
    assert read(Path("f"), [row]) == [(said("q"), "good", "bad")]


def test_rewardbench_2_is_named_before_a_model_loads() -> None:
    row = {"prompt": "q", "chosen": ["good"], "rejected": ["b1", "b2", "b3"], "subset": "Focus"}
    with pytest.raises(UserError, match="row 1: rejected is a list of 3 answers; RewardBench 2"):
        read(Path("f"), [row])
