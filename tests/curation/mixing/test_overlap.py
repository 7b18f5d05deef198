"""Which rows of a benchmark a mix holds, row for row."""

from __future__ import annotations

import polars as pl

from curation.mixing import overlap
from curation.mixing.decontaminate import Settings

LONG = "please tell me how many grains of rice there are in one kilogram of rice today"


def mix(*rows: tuple[str, str, str]) -> pl.DataFrame:
    def said(role: str, text: str) -> list[dict[str, str]]:
        return [{"role": role, "content": text}]

    return pl.DataFrame(
        {
            "prompt_id": [str(n) for n in range(len(rows))],
            "prompt": [said("user", prompt) for prompt, _, _ in rows],
            "chosen": [said("assistant", chosen) for _, chosen, _ in rows],
            "rejected": [said("assistant", rejected) for _, _, rejected in rows],
        }
    )


def test_prompts_are_found_as_in_decontamination_and_answers_beside_them() -> None:
    items = pl.DataFrame(
        {
            "item_id": ["same", "part", "new", "answer alone"],
            "text": ["What is it?", f"Now {LONG}, my friend", "Something else?", "Who?"],
            "responses": [["A dog!", "A cat."], ["Many."], ["x"], ["a dog"]],
        }
    )
    frames = [mix(("what is IT", "a dog", "a cow")), mix((f"{LONG}?", "few", "none"))]
    prompts, answers = overlap.rows(frames, items, Settings())
    assert prompts == {"same", "part"}
    assert answers == {"same"}


def test_nothing_is_found_in_nothing() -> None:
    items = pl.DataFrame({"item_id": ["1"], "text": ["Why?"], "responses": [["So."]]})
    assert overlap.rows([mix(("When?", "So.", "no"))], items, Settings()) == (set(), set())
