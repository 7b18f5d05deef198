"""What makes a pair worth a look: margins are logits only where one reward model gave them."""

from __future__ import annotations

import math

import duckdb
import pytest

from curation.review import queue

MARGINS = [0.5, -1.0, 2.0, 3.0, 4.0]  # under 0: a person turned the label round


def build(**judges: float) -> duckdb.DuckDBPyConnection:
    """Five pairs of iter1, of these judges with their weights, under the names of the views."""
    con = duckdb.connect()
    con.execute(
        "create table pairs as select 'iter1' as iteration, 'p' || n as pair_id, "
        "'g' || n as chosen_id, 'h' || n as rejected_id, margin, 10 as chosen_chars, "
        "10 as rejected_chars, []::varchar[] as flags "
        "from (select unnest(range(5)) as n, unnest(?::double[]) as margin)",
        [MARGINS],
    )
    con.execute(
        "create table scores (iteration varchar, generation_id varchar, judge varchar, "
        "reward double)"
    )
    con.execute("create table metrics (file varchar, key varchar, value double, text varchar)")
    for name, weight in judges.items():
        key = f"judges.{name}.weight"
        con.execute("insert into metrics values ('iterations/iter1/pair', ?, ?, '')", [key, weight])
    return con


def close(**judges: float) -> list[float]:
    found = queue.reasons(build(**judges)).sort("pair_id")
    return found["close"].to_list()


def test_a_reward_model_s_margin_is_a_logit() -> None:
    wrong = [2 / (1 + math.exp(abs(margin))) for margin in MARGINS]
    assert close(**{"reward_model/mix2": 1.0}) == pytest.approx(wrong)


@pytest.mark.parametrize(
    "judges",
    [
        {"reward_model/mix2": 1.0, "teacher": 1.0},  # standardised, or ranked
        {"teacher": 1.0},  # 1 to 10
        {},  # pairs of another program
    ],
)
def test_other_margins_are_small_or_large_within_their_iteration(judges: dict[str, float]) -> None:
    assert close(**judges) == pytest.approx([1.0, 0.5, 0.0, 0.0, 0.0])


def test_the_unit_of_a_scale_changes_nothing() -> None:
    con = build(a=1.0, b=1.0)
    before = queue.ranked(queue.reasons(con))["pair_id"].to_list()
    con.execute("update pairs set margin = margin * 100")
    assert queue.ranked(queue.reasons(con))["pair_id"].to_list() == before
