"""Files of reward models' benchmarks, told apart by their columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curation.core.errors import UserError
from curation.user_rows.asked import WrongError, answers
from pipelines.shared import records
from pipelines.shared.records import Row

if TYPE_CHECKING:
    from training.bench.rewards.items import Item

STYLES = 3  # of RM-Bench's answers, right ones and wrong ones
LABELS = {"A>B": (0,), "B>A": (1,)}
WINNERS = {"model_a": (0,), "model_b": (1,), "tie": (0, 1), "tie (bothbad)": (0, 1)}


def load(path: Path) -> list[Row]:
    """The rows of a benchmark's file, also where it is one object with a list to each column.

    Raises:
        UserError: the file is unreadable.
    """
    rows = records.read(path)
    first = rows[0]
    if len(rows) > 1 or not all(isinstance(first.get(key), list) for key in ("subset", "id")):
        return rows
    lists = {name: value for name, value in first.items() if isinstance(value, list)}
    count = len(lists["id"])
    lists = {name: value for name, value in lists.items() if len(value) == count}
    every = {name: value for name, value in first.items() if not isinstance(value, list)}
    return [every | {name: value[n] for name, value in lists.items()} for n in range(count)]


def bench_of(path: Path, rows: Sequence[Row]) -> str:
    """Which benchmark a file is of.

    Raises:
        UserError: none that is known.
    """
    first = rows[0]
    chosen, rejected = _length(first, "chosen"), _length(first, "rejected")
    known = {
        "judgebench": {"response_A", "response_B", "label"} <= set(first),
        "ppe-correctness": {"response_1", "sampled_conflict_pairs"} <= set(first),
        "ppe-preference": {"response_1", "response_2", "winner"} <= set(first),
        "rm-bench": chosen == rejected == STYLES and "num_correct" not in first,
        "rewardbench2": "num_correct" in first or rejected > 1,
        "rewardbench": "subset" in first or {"prompt", "chosen", "rejected"} <= set(first),
    }
    for name, fits in known.items():
        if fits:
            return name
    have = ", ".join(sorted(first))
    raise UserError(
        f"{path}: not a file of RewardBench, RewardBench 2, RM-Bench, JudgeBench or PPE (it has: "
        f"{have}); see docs/tasks/benchmarks.md"
    )


def _length(row: Row, name: str) -> int:
    """How many answers a side holds; of a conversation the last turn alone is one."""
    side = row.get(name)
    texts = isinstance(side, list) and all(isinstance(one, str) for one in side)
    return len(side) if isinstance(side, list) and texts else 1


def items(path: Path, rows: Sequence[Row], bench: str) -> list[Item]:
    """The rows as items.

    Raises:
        UserError: a row lacks a column, or one holds something else than its benchmark has there.
    """
    if bench == "rm-bench":  # its files of one domain don't say which in their rows
        rows = [{"domain": path.stem, **row} for row in rows]
    return [_READERS[bench](f"{path}: row {n}", row) for n, row in enumerate(rows, start=1)]


def _sides(where: str, row: Row, key: str, group: str, right: int | None) -> Item:
    from training.bench.rewards.items import Item

    _need(where, row, (group,))
    chosen, rejected = _texts(where, row, "chosen"), _texts(where, row, "rejected")
    if right is not None and len(chosen) != right:
        raise UserError(f"{where}: chosen is a list of {len(chosen)} answers, not {right}")
    every = (*chosen, *rejected)
    name = str(row.get("id", key))
    places = tuple(range(len(chosen)))
    return Item(name, str(row[group]), _prompt(where, row), every, places, row)


def _unsaid(where: str, row: Row, right: Any, count: int) -> Item:
    """Of published scores, whose rows hold no prompt and no answers."""
    from training.bench.rewards.items import Item

    _need(where, row, ("id", "subset"))
    if not isinstance(right, int) or not 0 < right < count:
        raise UserError(f"{where}: num_correct {right!r} of {count} scores")
    empty, places = ("",) * count, tuple(range(right))
    return Item(str(row["id"]), str(row["subset"]), [], empty, places, row)


def _rewardbench(where: str, row: Row) -> Item:
    if "chosen" not in row and "scores_chosen" in row:
        return _unsaid(where, row, 1, 2)
    item = _sides(where, row, where, "subset", 1)
    if len(item.responses) > 2:
        raise UserError(f"{where}: rejected is a list of {len(item.responses) - 1} answers, not 1")
    return item


def _rewardbench2(where: str, row: Row) -> Item:
    if "chosen" not in row and isinstance(row.get("scores"), list):
        return _unsaid(where, row, row.get("num_correct"), len(row["scores"]))
    item = _sides(where, row, where, "subset", None)
    if row.get("num_correct") not in (None, len(item.right)):
        held = f"{len(item.right)} answers are chosen"
        raise UserError(f"{where}: num_correct is {row['num_correct']}, but {held}")
    if item.group.lower() == "ties" and not item.key.startswith(("ref:", "tied:")):
        raise UserError(f"{where}: id {item.key}: in Ties it is ref:N or tied:N")
    return item


def _rm_bench(where: str, row: Row) -> Item:
    item = _sides(where, row, where, "domain", STYLES)
    if len(item.responses) != 2 * STYLES:
        raise UserError(f"{where}: rejected is not a list of {STYLES} answers")
    return item


def _judgebench(where: str, row: Row) -> Item:
    from training.bench.rewards.items import Item

    _need(where, row, ("pair_id", "source", "question", "response_A", "response_B", "label"))
    if row["label"] not in LABELS:
        raise UserError(f"{where}: label {row['label']!r} is neither A>B nor B>A")
    asked = [{"role": "user", "content": str(row["question"])}]
    both = (str(row["response_A"]), str(row["response_B"]))
    return Item(str(row["pair_id"]), str(row["source"]), asked, both, LABELS[row["label"]], row)


def _ppe_preference(where: str, row: Row) -> Item:
    from training.bench.rewards.items import Item

    _need(where, row, ("prompt", "response_1", "response_2", "winner"))
    if row["winner"] not in WINNERS:
        raise UserError(f"{where}: winner {row['winner']!r} is none of {', '.join(WINNERS)}")
    both = (str(row["response_1"]), str(row["response_2"]))
    key, language = str(row.get("question_id", where)), str(row.get("language", ""))
    return Item(key, language, _prompt(where, row), both, WINNERS[row["winner"]], row)


def _ppe_correctness(where: str, row: Row) -> Item:
    from training.bench.rewards.items import Item

    _need(where, row, ("prompt", "scores", "sampled_conflict_pairs"))
    count = len(row["scores"])
    names = [f"response_{n}" for n in range(1, count + 1)]
    _need(where, row, names)
    right = tuple(n for n, one in enumerate(row["scores"]) if one)
    for pair in row["sampled_conflict_pairs"]:
        if len(pair) != 2 or sum(n in right for n in pair) != 1 or not all(n < count for n in pair):
            raise UserError(f"{where}: sampled_conflict_pairs: {pair} is not one right, one wrong")
    said = tuple(str(row[name]) for name in names)
    return Item(str(row.get("question_id", where)), "", _prompt(where, row), said, right, row)


_READERS: dict[str, Callable[[str, Row], Item]] = {
    "rewardbench": _rewardbench,
    "rewardbench2": _rewardbench2,
    "rm-bench": _rm_bench,
    "judgebench": _judgebench,
    "ppe-preference": _ppe_preference,
    "ppe-correctness": _ppe_correctness,
}


def _need(where: str, row: Row, names: Sequence[str]) -> None:
    missing = [name for name in names if row.get(name) is None]
    if missing:
        raise UserError(f"{where} lacks {', '.join(missing)} (it has: {', '.join(sorted(row))})")


def _texts(where: str, row: Row, side: str) -> tuple[str, ...]:
    """The answers of a side: one, several, or a conversation's last turn."""
    _need(where, row, (side,))
    try:
        found = answers(row[side])
    except WrongError as error:
        raise UserError(f"{where}: {side}: {error.args[1]}") from error
    return (found,) if isinstance(found, str) else tuple(found)


def _prompt(where: str, row: Row) -> list[dict[str, str]]:
    _need(where, row, ("prompt",))
    prompt = row["prompt"]
    if isinstance(prompt, str):
        return [{"role": "user", "content": prompt}]
    if isinstance(prompt, list) and all(
        isinstance(turn, dict) and {"role", "content"} <= set(turn) for turn in prompt
    ):
        return [{"role": turn["role"], "content": turn["content"]} for turn in prompt]
    raise UserError(f"{where}: prompt is neither a text nor a list of messages")
