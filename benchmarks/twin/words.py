"""Made texts: no two alike, none with a passage of another's."""

from __future__ import annotations

import random

_NAMES = "river bread garden winter letter window market orchard engine lantern harbour teacher"
_NAMES += " valley bicycle violin carpenter meadow island kitchen library station mountain"
_ACTS = "finds keeps builds paints carries explains measures borrows repairs answers follows plants"
_ACTS += " counts weighs collects describes remembers opens watches crosses"
_KINDS = "small quiet broken early wooden bright distant careful heavy gentle narrow ancient"
_KINDS += " cheerful simple empty patient northern useful"
_ASK = (
    "Explain why",
    "Describe how",
    "Tell me whether",
    "Write two lines on how",
    "Is it true that",
)


class Say:
    """Draws texts; the same seed gives the same ones."""

    def __init__(self, seed: str) -> None:
        self._draw = random.Random(seed)
        self._asked: dict[int, str] = {}

    def __call__(self, words: int) -> str:
        """About so many words, in sentences."""
        said: list[str] = []
        while len(said) < words:
            said += self._sentence().split()
        return " ".join(said)

    def ask(self) -> str:
        """A question."""
        return f"{self._draw.choice(_ASK)} {self._sentence().lower()}"

    def asked(self, number: int) -> str:
        """The question of this number, the same whenever it is asked for."""
        return self._asked.setdefault(number, self.ask())

    def _sentence(self) -> str:
        of = self._draw.choice
        kinds, names = _KINDS.split(), _NAMES.split()
        told = f"the {of(kinds)} {of(names)} {of(_ACTS.split())} a {of(kinds)} {of(names)}"
        return f"{told} near {of(names)} {self._draw.randrange(10_000)}.".capitalize()
