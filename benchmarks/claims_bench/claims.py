"""The claims: what each says, and its effects as numbers of one seed's figures."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Figures = dict[str, Any]
Effect = Callable[[Figures], float | None]

MARGIN = 0.05  # of oracle reward, on a scale from -1 to 1.5: "at little cost", "matches"


@dataclass(frozen=True)
class Part:
    """One number that a claim is about.

    Attributes:
        says: what is subtracted from what.
        over: the claim says that the effect is above this.
    """

    says: str
    effect: Effect
    over: float = 0.0


@dataclass(frozen=True)
class Claim:
    """A claim of the paper, or a comparison of our own, and the stages its figures come from."""

    name: str
    says: str
    stages: frozenset[str]
    parts: tuple[Part, ...]
    ours: bool = False


def policy(figures: Figures, name: str) -> Figures:
    """The figures of one arm, by whatever stage; iter1 is the arm best_worst."""
    if name == "sft":
        told: Figures = figures["models"]["sft"]
        return told
    name = "best_worst" if name == "iter1" else name
    for group in ("pairing", "loop", "length"):
        if name in figures.get(group, {}):
            found: Figures = figures[group][name]
            return found
    raise KeyError(name)


def gap(measure: str, high: str, low: str) -> Effect:
    """A measure of one policy less that of another."""
    return lambda figures: policy(figures, high)[measure] - policy(figures, low)[measure]


def judge_gap(measure: str, high: str, low: str) -> Effect:
    """A measure of one judge less that of another."""

    def effect(figures: Figures) -> float:
        judges = figures["models"]["judges"]
        return float(judges[high][measure] - judges[low][measure])

    return effect


def at_equal_length(name: str) -> Effect:
    """Oracle reward of a policy less what a fixed penalty reaches at the same mean length.

    The fixed penalty is a curve: its three policies (0, low, high) joined by straight lines. None
    where the policy is longer or shorter than all of them.
    """

    def effect(figures: Figures) -> float | None:
        fixed = [policy(figures, one) for one in ("mix1", "mix1_low", "mix1_high")]
        curve = sorted((one["chars"], one["oracle"]) for one in fixed)
        own = policy(figures, name)
        for (left, low), (right, high) in itertools.pairwise(curve):
            if left <= own["chars"] <= right:
                share = (own["chars"] - left) / (right - left)
                return float(own["oracle"] - (low + share * (high - low)))
        return None

    return effect


CLAIMS = (
    Claim(
        "online",
        "Online iterative DPO beats offline DPO at an equal number of pairs and steps.",
        frozenset({"models", "pairing", "loop"}),
        (Part("oracle reward, iter3 - offline", gap("oracle", "iter3", "offline")),),
    ),
    Claim(
        "iterations",
        "Each iteration raises the oracle's reward over the one before.",
        frozenset({"models", "pairing", "loop"}),
        (
            Part("oracle reward, iter1 - sft", gap("oracle", "iter1", "sft")),
            Part("oracle reward, iter2 - iter1", gap("oracle", "iter2", "iter1")),
            Part("oracle reward, iter3 - iter2", gap("oracle", "iter3", "iter2")),
        ),
    ),
    Claim(
        "length_bias",
        "A length-biased mix gives a reward model with a higher within-prompt Pearson; sets with "
        "shorter chosen responses lower it; iterating against the biased one lengthens responses.",
        frozenset({"models", "pairing", "loop", "length"}),
        (
            Part("mean Pearson, mix1 - plain", judge_gap("pearson", "mix1", "plain")),
            Part("mean Pearson, mix1 - mix2", judge_gap("pearson", "mix1", "mix2")),
            Part("characters, two steps on mix1 - sft", gap("chars", "mix1_again", "sft")),
            Part("characters, two steps on mix1 - on plain", gap("chars", "mix1_again", "iter2")),
        ),
    ),
    Claim(
        "length_penalty",
        "The length penalty shortens responses at little cost in oracle reward.",
        frozenset({"models", "length"}),
        (
            Part("characters, without - with penalty", gap("chars", "mix2", "mix2_penalty")),
            Part("oracle reward, with - without", gap("oracle", "mix2_penalty", "mix2"), -MARGIN),
        ),
    ),
    Claim(
        "best_worst",
        "Best-versus-worst pairs beat random pairs at an equal number of pairs.",
        frozenset({"models", "pairing"}),
        (Part("oracle reward, best/worst - random", gap("oracle", "best_worst", "random")),),
    ),
    Claim(
        "start",
        "Starting from the previous checkpoint with reference pi0 matches restarting from pi0 at "
        "half the training time.",
        frozenset({"models", "pairing", "loop"}),
        (Part("oracle reward, iter3 - restart", gap("oracle", "iter3", "restart"), -MARGIN),),
    ),
    Claim(
        "uncertainty",
        "Pairs on which two reward models disagree most beat best-versus-worst pairs of the same "
        "two.",
        frozenset({"models", "pairing"}),
        (Part("oracle reward, uncertainty - best/worst", gap("oracle", "uncertainty", "panel")),),
        ours=True,
    ),
    Claim(
        "auto_penalty",
        "The automatic length penalty beats a fixed one at equal mean length.",
        frozenset({"models", "length"}),
        (Part("oracle reward, auto - fixed at its length", at_equal_length("mix1_auto")),),
        ours=True,
    ),
    Claim(
        "debiased",
        "The debiased reward beats a fixed length penalty at equal mean length.",
        frozenset({"models", "length"}),
        (Part("oracle reward, debiased - fixed at its length", at_equal_length("mix1_debiased")),),
        ours=True,
    ),
    Claim(
        "multi_head",
        "A multi-head reward beats the single head it stands on.",
        frozenset({"models", "pairing"}),
        (
            Part("oracle reward of best of 8", judge_gap("best_of_n", "multi", "plain")),
            Part("oracle reward of the policy", gap("oracle", "multi", "best_worst")),
        ),
        ours=True,
    ),
)

BY_NAME = {claim.name: claim for claim in CLAIMS}
