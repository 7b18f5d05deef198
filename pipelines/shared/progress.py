"""What a person sees of a build that runs: a line a stage, how far it is, how long it may take.

DVC says which stage it begins and which it skips; those that are up to date get no line. Times are
those of the last run of each stage on this machine (.work/timings).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

_BEGUN = re.compile(r"^Running stage '(?P<name>[^']+)':$")
_PASSED = re.compile(r"^(?:Stage )?'(?P<name>[^']+)' (?P<why>didn't change|is cached)")
_NOISE = re.compile(
    r"^(?:> |Generating lock file|Updating lock file|Use `dvc push`|To track the changes|\tgit add "
    r"|To enable auto staging|\tdvc config core.autostage|\s*$)"
)


def timings(folder: Path) -> dict[str, float]:
    """Seconds that each stage took when it last ran here, by its name in the graph."""
    found = {}
    for file in folder.glob("*.json"):
        try:
            one = json.loads(file.read_text("utf-8"))
            found[str(one["stage"])] = float(one["seconds"])
        except (ValueError, KeyError, TypeError, OSError):
            continue  # a stage that is being timed now
    return found


class Progress:
    """Turns DVC's lines into ours.

    Args:
        stages: names of all stages that DVC will come to; empty where that is not known.
        seconds: what each took last time; one that never ran here is taken to cost nothing.
    """

    def __init__(self, stages: Sequence[str], seconds: Mapping[str, float]) -> None:
        self._left = dict.fromkeys(stages)
        self._total = len(stages)
        self._seconds = seconds
        self._place = 0
        self.running: str | None = None

    def line(self, told: str) -> str | None:
        """What is shown for a line of DVC's or of a stage's; None where nothing is."""
        if (begun := _BEGUN.match(told)) is not None:
            return self._begin(begun["name"])
        if (passed := _PASSED.match(told)) is not None:
            self._come_to(passed["name"])
            cached = passed["why"] == "is cached"
            return f"{self._at()} {passed['name']}: taken from the cache" if cached else None
        return None if _NOISE.match(told) else told

    def waiting(self, seconds: float) -> str:
        """What is shown while a stage says nothing."""
        usual = self._seconds.get(self.running or "")
        last = f", {spoken(usual)} last time" if usual else ""
        at = f"{self._at()} {self.running}" if self.running else "dvc"
        return f"{at}: {spoken(seconds)} so far{last}"

    def _begin(self, name: str) -> str:
        self._come_to(name)
        self.running = name
        known = sum(self._seconds.get(one, 0.0) for one in self._left)
        own = self._seconds.get(name)
        facts = [f"about {spoken(own)}"] if own else []
        facts += [f"at most {spoken(known + (own or 0))} left"] if known and self._total else []
        return f"{self._at()} {name}" + (f" ({', '.join(facts)})" if facts else "")

    def _come_to(self, name: str) -> None:
        self._place += 1
        self._left.pop(name, None)
        self.running = None

    def _at(self) -> str:
        return f"[{self._place}/{self._total}]" if self._total else f"[{self._place}]"


def spoken(seconds: float) -> str:
    """A time as people say it: 40 s, 3 min 10 s, 2 h 5 min."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if minutes == 0:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
