"""The sample world: facts about animals, the instructions that ask for them, and the oracle.

An instruction names one attribute and an ordered list of animals; the right answer is the ordered
list of facts ("Give the sound of each: dog, cow, owl." -> "woof, moo, hoot"). `reward` knows the
truth. It is the oracle r*(x, a) of the sample recipe: evaluation may call it, training never does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

ATTRIBUTES = ("sound", "home", "food")

_TABLE = """
dog      woof    kennel   bones
cow      moo     barn     grass
owl      hoot    tree     mice
cat      meow    basket   fish
pig      oink    sty      roots
hen      cluck   coop     grain
duck     quack   pond     weeds
horse    neigh   stable   hay
sheep    baa     fold     clover
goat     bleat   shed     leaves
bee      buzz    hive     nectar
frog     croak   marsh    flies
lion     roar    savanna  meat
mouse    squeak  hole     cheese
crow     caw     nest     worms
fox      yip     burrow   berries
bear     growl   cave     honey
wolf     howl    den      venison
goose    honk    lake     seeds
donkey   bray    paddock  thistles
"""

FACTS: dict[str, tuple[str, ...]] = {
    row.split()[0]: tuple(row.split()[1:]) for row in _TABLE.strip().splitlines()
}
SUBJECTS = tuple(FACTS)

TEMPLATES = (
    "Give the {attribute} of each: {subjects}.",
    "Name the {attribute} of {subjects}, in order.",
    "What is the {attribute} of each of {subjects}?",
    "List each {attribute}, in order: {subjects}.",
)

SENTENCE_FORMS = {
    "sound": "the {subject} says {answer}",
    "home": "the {subject} lives in the {answer}",
    "food": "the {subject} eats {answer}",
}

PREAMBLES = ("Here you go:", "Sure:", "The answer is:", "In order:")
FILLERS = (
    "I hope this helps.",
    "Let me know if you need more.",
    "These are well known facts.",
    "I checked this with great care.",
)
REFUSALS = ("I do not know.", "Sorry, I cannot help with that.")
RUDE = ("What a silly question.", "Go away and poke them with a stick.")


@dataclass(frozen=True)
class Task:
    """One question: an attribute and the ordered animals it is asked of."""

    attribute: str
    subjects: tuple[str, ...]

    @property
    def answers(self) -> tuple[str, ...]:
        """The right answers, in order."""
        column = ATTRIBUTES.index(self.attribute)
        return tuple(FACTS[subject][column] for subject in self.subjects)

    def render(self, template: int) -> str:
        """The instruction as text, in one of the `TEMPLATES`; at most 12 words long."""
        text = TEMPLATES[template % len(TEMPLATES)]
        return text.format(attribute=self.attribute, subjects=", ".join(self.subjects))


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    attribute = f"(?P<attribute>{'|'.join(ATTRIBUTES)})"
    animal = f"(?:{'|'.join(SUBJECTS)})"
    subjects = f"(?P<subjects>{animal}(?:, {animal})*)"
    return tuple(
        re.compile(
            re.escape(text).replace(r"\{attribute\}", attribute).replace(r"\{subjects\}", subjects)
        )
        for text in TEMPLATES
    )


def parse(prompt: str) -> Task:
    """The last question asked anywhere in `prompt`, which may be a whole transcript.

    Raises:
        ValueError: the text asks none of the world's questions.
    """
    found = [match for pattern in _patterns() for match in pattern.finditer(prompt)]
    if not found:
        raise ValueError(f"no question of the sample world in the prompt: {prompt[:80]!r}")
    last = max(found, key=lambda match: match.start())
    return Task(last["attribute"], tuple(last["subjects"].split(", ")))


def words(text: str) -> list[str]:
    """The lower-case words of `text`; digits and signs are dropped."""
    return re.findall(r"[a-z]+", text.lower())


ANSWER_WORDS = frozenset(answer for facts in FACTS.values() for answer in facts)
BLANK = "unknown"
KNOWN_WORDS = frozenset(
    words(" ".join((*SENTENCE_FORMS.values(), *PREAMBLES, *FILLERS, *REFUSALS, *RUDE)))
) | {*SUBJECTS, *ATTRIBUTES, *ANSWER_WORDS, BLANK}


def _common_in_order(left: list[str], right: tuple[str, ...]) -> int:
    """Length of the longest common subsequence."""
    best = [0] * (len(right) + 1)
    for item in left:
        diagonal = 0
        for column, other in enumerate(right, start=1):
            above = best[column]
            best[column] = diagonal + 1 if item == other else max(above, best[column - 1])
            diagonal = above
    return best[-1]


def share_right(prompt: str, response: str) -> float:
    """Share in [0, 1] of the asked items that `response` answers rightly and in order."""
    answers = parse(prompt).answers
    given = [word for word in words(response) if word in ANSWER_WORDS]
    return _common_in_order(given, answers) / len(answers)


def reward(prompt: str, response: str) -> float:
    """The oracle r*(x, a), a number in [-1, 1.5] and pure text in.

    With n asked items, `right` of them answered in order (longest common subsequence of the fact
    words given and the truth), and `spare` other items (wrong, left blank, repeated or swapped):

        -0.5 + 2 right/n - 0.5 min(spare/n, 2) - 0.5 [rude] - 0.05 min(unknown, 6)

    cut to [-1, 1.5]; `unknown` counts words outside the world's vocabulary. Preambles, friendly
    closing sentences and full-sentence style cost and earn nothing: length is indifferent.

    Raises:
        ValueError: the prompt asks none of the world's questions.
    """
    answers = parse(prompt).answers
    said = words(response)
    given = [word for word in said if word in ANSWER_WORDS or word == BLANK]
    right = _common_in_order(given, answers)
    spare = min((len(given) - right) / len(answers), 2.0)
    unknown = min(sum(word not in KNOWN_WORDS for word in said), 6)
    value = -0.5 + 2.0 * right / len(answers) - 0.5 * spare
    value -= 0.5 * is_rude(response) + 0.05 * unknown
    return min(1.5, max(-1.0, value))


def is_rude(response: str) -> bool:
    """Whether the response holds one of the world's rude sentences (its notion of unsafe)."""
    return any(phrase in response for phrase in RUDE)
