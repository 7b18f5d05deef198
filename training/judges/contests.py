"""From comparisons of two responses to a reward for each: round-robin or knockout.

A contest is a generator: it yields the matches it wants played and is sent their results, so the
matches of many prompts are asked together, round by round.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Literal

from training.judges.reward_model import Verdict

Format = Literal["round_robin", "knockout"]
Match = tuple[int, int]
Result = float | str  # P(first better), or why there is none
Contest = Generator[list[Match], list[Result], list[Verdict]]
Ask = Callable[[Sequence[tuple[int, int, int]]], Sequence[Result]]

ALONE = Verdict(None, "no other response to compare it with")


def play(sizes: Sequence[int], kind: Format, ask: Ask) -> list[list[Verdict]]:
    """Run one contest per group, their rounds together.

    Args:
        sizes: responses in each group.
        ask: results of (group, first, second) matches.

    Returns:
        One verdict per response of every group. Round-robin: the mean chance to win, in [0, 1].
        Knockout: rounds survived on the way to the best, or minus the rounds stayed in on the way
        to the worst; both ends are found, the middle is left in ties.
    """
    start = _round_robin if kind == "round_robin" else _knockout
    verdicts: list[list[Verdict]] = [[] for _ in sizes]
    contests = {group: start(size) for group, size in enumerate(sizes)}
    wanted: dict[int, list[Match]] = {}
    for group, contest in contests.items():
        _step(group, contest, None, wanted, verdicts)
    while wanted:
        matches = [(group, *match) for group, found in wanted.items() for match in found]
        results = iter(ask(matches))
        answers = {group: [next(results) for _ in found] for group, found in wanted.items()}
        wanted = {}
        for group, answer in answers.items():
            _step(group, contests[group], answer, wanted, verdicts)
    return verdicts


def _step(
    group: int,
    contest: Contest,
    answer: list[Result] | None,
    wanted: dict[int, list[Match]],
    verdicts: list[list[Verdict]],
) -> None:
    """Move one contest on: to its next round, or to its verdicts."""
    try:
        wanted[group] = contest.send(answer) if answer is not None else next(contest)
    except StopIteration as done:
        verdicts[group] = done.value


def _round_robin(n: int) -> Contest:
    """Everyone against everyone; a response needs a result from half of its matches at least."""
    if n < 2:
        return [ALONE] * n
    matches = [(i, j) for i in range(n) for j in range(i + 1, n)]
    results = yield matches
    chances: list[list[float]] = [[] for _ in range(n)]
    reasons: list[list[str]] = [[] for _ in range(n)]
    for (i, j), result in zip(matches, results, strict=True):
        if isinstance(result, str):
            reasons[i].append(result)
            reasons[j].append(result)
        else:
            chances[i].append(result)
            chances[j].append(1.0 - result)
    return [
        Verdict(sum(won) / len(won))
        if 2 * len(won) >= n - 1
        else Verdict(None, f"{len(lost)} of {n - 1} comparisons failed: {lost[0]}")
        for won, lost in zip(chances, reasons, strict=True)
    ]


def _knockout(n: int) -> Contest:
    """Winners meet winners until one is left; those who never won then meet for the worst.

    About 1.5 n matches. Who ties with its opponent passes it by its place in the list.
    """
    if n < 2:
        return [ALONE] * n
    failed: dict[int, str] = {}
    rounds: dict[int, int] = {}
    losers = yield from _bracket(list(range(n)), 1, failed, rounds)
    yield from _bracket(losers, -1, failed, rounds)
    return [
        Verdict(None, f"a comparison failed: {failed[i]}")
        if i in failed
        else Verdict(float(rounds.get(i, 0)))
        for i in range(n)
    ]


def _bracket(
    players: list[int], sign: int, failed: dict[int, str], rounds: dict[int, int]
) -> Generator[list[Match], list[Result], list[int]]:
    """Play until one is left; sign 1: the better goes on, -1: the worse does.

    A bye counts as a round only for who goes on from its first match, or the worst could hide
    behind one.

    Returns:
        Who dropped out in their first match, with a bye before it or not.
    """
    out: list[int] = []
    played: set[int] = set()
    while len(players) > 1:
        matches = list(zip(players[0::2], players[1::2], strict=False))
        stay = [players[-1]] if len(players) % 2 else []
        for player in stay:
            rounds[player] = rounds.get(player, 0) + sign
        results = yield matches
        for (a, b), result in zip(matches, results, strict=True):
            if isinstance(result, str):
                failed[a] = failed[b] = result
                continue
            on, off = (a, b) if sign * (result - 0.5) >= 0 else (b, a)
            rounds[on] = rounds.get(on, 0) + sign
            stay.append(on)
            if off not in played:
                rounds[off] = 0
                out.append(off)
            played |= {on, off}
        players = stay
    return out
