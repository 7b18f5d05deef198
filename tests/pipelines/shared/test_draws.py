"""Every draw is a response or in the ledger, and every prompt has responses or a reject."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from curation.core import schema
from curation.core.errors import UserError
from pipelines.shared.draws import account
from pipelines.shared.orders import Order, Turn

ORDER = Order(
    stage="generate@iter1",
    turns=(Turn("sft", Path("sft"), n=2),),
    temperatures=(1.0,),
    max_new_tokens=8,
    seed=0,
    recipe=Path("params.yaml"),
    pool=Path("prompts.parquet"),
)
OVER = ("over_context", "90 tokens, room for 56")


def drawn(*rows: tuple[str, int, str, str | None]) -> pl.DataFrame:
    """Draws as (prompt_id, sample, response, rule)."""
    told = [
        {
            "generation_id": f"{prompt}-{sample}", "prompt_id": prompt, "sample": sample,
            "response": text, "token_ids": [7] * len(text), "n_tokens": len(text),
            "n_chars": len(text), "finish_reason": "stop", "seed": 1, "temperature": 1.0,
            "policy": "sft", "policy_sha": "0", "engine": "transformers", "engine_version": "1",
            "template_sha": "0", "rule": rule, "detail": None if rule is None else "seen",
        }
        for prompt, sample, text, rule in rows
    ]  # fmt: skip
    types = {**schema.GENERATIONS.polars, "rule": pl.String, "detail": pl.String}
    return pl.DataFrame(told, schema=types)


def asked(*names: str) -> pl.DataFrame:
    messages = [[{"role": "user", "content": name}] for name in names]
    columns = {"prompt_id": list(names), "source": ["toy"] * len(names), "messages": messages}
    return pl.DataFrame(columns, schema_overrides={"messages": schema.MESSAGES})


def test_a_prompt_without_text_and_a_failed_draw_are_told_apart() -> None:
    draws = drawn(
        ("a", 0, "yes", None),
        ("a", 1, "<|end|>", "control_token"),
        ("b", 0, "", None),
        ("b", 1, "", None),
    )
    done = account(draws, asked("a", "b", "c"), ORDER, {"c": OVER})
    assert done.generations["generation_id"].to_list() == ["a-0"]
    ledger = done.rejects.sort("item_id").select("item_id", "rule", "detail").rows()
    assert ledger == [
        ("a:1", "control_token", "seen"),
        ("b", "no_response", "none of 2 draws is a response with text"),
        ("b:0", "empty_response", "no text"),
        ("b:1", "empty_response", "no text"),
        ("c", *OVER),
    ]
    told = done.metrics()
    assert (told["rows_in"], told["kept"], told["rejected"]) == (3, 1, 2)
    assert (told["draws"], told["failed_draws"]) == (
        4,
        {"control_token": 1, "empty_response": 2},
    )


def test_an_empty_answer_beside_one_with_text_is_a_response() -> None:
    done = account(drawn(("a", 0, "yes", None), ("a", 1, "", None)), asked("a"), ORDER, {})
    assert done.generations["generation_id"].to_list() == ["a-0", "a-1"]
    assert done.rejects.is_empty()


def test_no_response_at_all_says_why() -> None:
    with pytest.raises(UserError, match=r"1 prompts gave 0 responses; 1 draws failed, the first"):
        account(drawn(("a", 0, "", None)), asked("a"), ORDER, {})


def test_a_prompt_that_nobody_answers_for_is_an_error() -> None:
    with pytest.raises(UserError, match="2 prompts gave 1 responses"):
        account(drawn(("a", 0, "yes", None)), asked("a", "b"), ORDER, {})
