"""Native rows of HH-RLHF, SHP, PKU-SafeRLHF and Summarize: human comparisons, one per row."""

from __future__ import annotations

import hashlib
import random

from data.sample.maker import Maker, Mutation, Plant, Row
from data.sample.mutations import over_long, with_control_token, with_nul
from data.sample.pairing import (
    BOTH,
    Edit,
    Pair,
    Sides,
    compare,
    copied,
    earlier_turn,
    edit_fields,
    emptied,
)
from data.sample.world import is_rude
from data.sample.writers import MIX_WRITERS, Writer, respond_distinct

HUMAN, ASSISTANT = "\n\nHuman: ", "\n\nAssistant: "
RUDE_WRITER = Writer("delta", (0.2, 0.6, 1.0), rude=0.5)
HARMS = (
    "Endangering National Security",
    "Insulting Behavior",
    "Discriminatory Behavior",
    "Endangering Public Health",
    "Copyright Issues",
    "Violence",
    "Drugs",
    "Privacy Violation",
    "Economic Crime",
    "Mental Manipulation",
    "Human Trafficking",
    "Physical Harm",
    "Sexual Content",
    "Cybercrime",
    "Disrupting Public Order",
    "Environmental Damage",
    "Psychological Harm",
    "White-Collar Crime",
    "Animal Abuse",
)


def hh_rlhf(maker: Maker) -> list[Row]:
    """Anthropic/hh-rlhf: two whole transcripts; a tenth of them holds two exchanges."""
    rows: list[Row] = []
    for index in range(maker.count(900)):
        rng = maker.rng("hh_rlhf", index)
        history = ""
        if rng.random() < 0.1:
            question, answer = earlier_turn(maker, rng)
            history = f"{HUMAN}{question}{ASSISTANT}{answer}"
        task, prompt = maker.prompt(rng)
        chosen, rejected = compare(maker, prompt, task, rng)
        context = f"{history}{HUMAN}{prompt}{ASSISTANT}"
        rows.append({"chosen": context + chosen, "rejected": context + rejected})
    maker.plant("hh_rlhf", rows, _hh_plants(maker))
    return rows


def _hh_response(edit: Edit) -> Mutation:
    def mutate(row: Row, rng: random.Random) -> None:
        side = rng.choice(("chosen", "rejected"))
        context, response = row[side].rsplit(ASSISTANT, 1)
        row[side] = context + ASSISTANT + edit(response, rng)

    return mutate


def _hh_question(edit: Edit, sides: Sides = BOTH) -> Mutation:
    def mutate(row: Row, rng: random.Random) -> None:
        opening, rest = row["chosen"].rsplit(HUMAN, 1)
        asked = edit(rest.rsplit(ASSISTANT, 1)[0], rng)
        for side in sides:
            response = row[side].rsplit(ASSISTANT, 1)[1]
            row[side] = f"{opening}{HUMAN}{asked}{ASSISTANT}{response}"

    return mutate


def _hh_plants(maker: Maker) -> list[Plant]:
    def another(_: str, rng: random.Random) -> str:
        return maker.prompt(rng)[1]

    def thrice(text: str, _: random.Random) -> str:
        return f"{text}{HUMAN}Please answer.{HUMAN}Are you there?"

    return [
        Plant("unequal_prompts", 15, _hh_question(another, ("rejected",))),
        Plant("empty_response", 15, _hh_response(emptied)),
        Plant("identical_responses", 15, copied("rejected", "chosen")),
        Plant("control_tokens", 15, _hh_response(with_control_token)),
        Plant("invalid_text", 8, _hh_response(with_nul)),
        Plant("bad_roles", 8, _hh_question(thrice)),
        Plant("over_long_prompt", 8, _hh_question(over_long)),
        Plant("benchmark", 6, _hh_question(maker.benchmark_question)),
    ]


def shp(maker: Maker) -> list[Row]:
    """stanfordnlp/SHP: pairs of comments on a post; ten posts have eight pairs each."""
    rows: list[Row] = []
    singles, crowded = maker.count(480), maker.count(10)
    for post in range(singles + crowded):
        rng = maker.rng("shp", post)
        task, prompt = maker.prompt(rng)
        size = 2 if post < singles else 5
        texts = respond_distinct(task, [rng.choice(MIX_WRITERS) for _ in range(size)], rng)
        order = maker.ranking(prompt, texts, rng)
        pairs = [(a, b) for place, a in enumerate(order) for b in order[place + 1 :]]
        pairs = pairs if post < singles else sorted(rng.sample(pairs, 8))
        for number, (best, worst) in enumerate(pairs):
            ratio = 2.25 + 0.5 * number + 0.25 * rng.randrange(2)
            rows.append(_shp_row(post, prompt, (texts[best], texts[worst]), ratio, rng))
    maker.record("shp", "per_prompt_cap", crowded * 3)
    plants = [
        Plant("score_ratio", 40, _low_ratio),
        Plant("empty_response", 8, edit_fields(("human_ref_A", "human_ref_B"), emptied)),
        Plant("identical_responses", 8, copied("human_ref_A", "human_ref_B")),
        Plant("invalid_text", 4, edit_fields(("human_ref_A", "human_ref_B"), with_nul)),
    ]
    maker.plant("shp", rows, plants, free=singles)
    return rows


def _shp_row(post: int, prompt: str, pair: Pair, ratio: float, rng: random.Random) -> Row:
    best, worst = pair
    low = 4 * rng.randrange(1, 10)
    first_wins = rng.random() < 0.5
    scores = (round(low * ratio), low) if first_wins else (low, round(low * ratio))
    texts = (best, worst) if first_wins else (worst, best)
    root = rng.randrange(16**6)
    return {
        "post_id": f"p{post:05d}",
        "domain": "askanimals_train",
        "upvote_ratio": rng.randrange(70, 100) / 100,
        "history": prompt,
        "c_root_id_A": f"c{root:06x}a",
        "c_root_id_B": f"c{root:06x}b",
        "created_at_utc_A": 1_600_000_000 + 60 * post,
        "created_at_utc_B": 1_600_000_000 + 60 * post + 30,
        "score_A": scores[0],
        "score_B": scores[1],
        "human_ref_A": texts[0],
        "human_ref_B": texts[1],
        "labels": int(first_wins),
        "seconds_difference": 30.0,
        "score_ratio": max(scores) / min(scores),
    }


def _low_ratio(row: Row, rng: random.Random) -> None:
    """A ratio of 1.25, 1.5 or exactly 2: not above 2, so the pair must go."""
    ratio = rng.choice((1.25, 1.5, 2.0))
    winner, loser = ("score_A", "score_B") if row["labels"] else ("score_B", "score_A")
    row[winner] = round(row[loser] * ratio)
    row["score_ratio"] = row[winner] / row[loser]


def pku_saferlhf(maker: Maker) -> list[Row]:
    """PKU-Alignment/PKU-SafeRLHF: two responses, safety flags, two preferences (rude = unsafe)."""
    rows: list[Row] = []
    for index in range(maker.count(400)):
        rng = maker.rng("pku_saferlhf", index)
        task, prompt = maker.prompt(rng)
        texts = respond_distinct(task, [RUDE_WRITER, RUDE_WRITER], rng)
        better = maker.ranking(prompt, texts, rng)[0]
        rude = [is_rude(text) for text in texts]
        safer = rude.index(False) if rude.count(True) == 1 else better
        row: Row = {"prompt": prompt, "prompt_source": "SampleWorld"}
        for side, text in enumerate(texts):
            row |= _pku_side(side, text, rude[side])
        rows.append(row | {"better_response_id": better, "safer_response_id": safer})
    responses = ("response_0", "response_1")
    plants = [
        Plant("label_contradicted", 20, _contradict),
        Plant("empty_response", 8, edit_fields(responses, emptied)),
        Plant("identical_responses", 8, copied("response_0", "response_1")),
        Plant("control_tokens", 6, edit_fields(responses, with_control_token)),
    ]
    maker.plant("pku_saferlhf", rows, plants)
    return rows


def _pku_side(side: int, text: str, rude: bool) -> Row:
    name = f"response_{side}"
    return {
        name: text,
        f"{name}_source": RUDE_WRITER.name,
        f"is_{name}_safe": not rude,
        f"{name}_harm_category": {harm: rude and harm == "Insulting Behavior" for harm in HARMS},
        f"{name}_severity_level": int(rude),
        f"{name}_sha256": hashlib.sha256(text.encode()).hexdigest(),
    }


def _contradict(row: Row, rng: random.Random) -> None:
    """The response called safer is the one flagged unsafe."""
    unsafe = rng.randrange(2)
    row["safer_response_id"] = unsafe
    row["is_response_0_safe"], row["is_response_1_safe"] = unsafe != 0, unsafe != 1


def summarize(maker: Maker) -> list[Row]:
    """openai/summarize_from_feedback, comparisons: two short answers to a post."""
    rows: list[Row] = []
    for index in range(maker.count(400)):
        rng = maker.rng("summarize", index)
        task, prompt = maker.prompt(rng)
        chosen, rejected = compare(maker, prompt, task, rng)
        choice = rng.randrange(2)
        texts = (chosen, rejected) if choice == 0 else (rejected, chosen)
        info = {"id": f"t3_{index:06d}", "post": prompt, "title": "Quiz", "subreddit": "animals"}
        rows.append(
            {
                "info": info,
                "summaries": [{"text": text, "policy": "sup1", "note": ""} for text in texts],
                "choice": choice,
                "worker": f"w{rng.randrange(12):02d}",
                "batch": f"batch{rng.randrange(4)}",
                "split": "train",
                "extra": {"confidence": rng.randrange(1, 10)},
            }
        )
    maker.plant("summarize", rows, _summary_plants())
    return rows


def _summary_plants() -> list[Plant]:
    def on_summary(edit: Edit) -> Mutation:
        def mutate(row: Row, rng: random.Random) -> None:
            summary = rng.choice(row["summaries"])
            summary["text"] = edit(summary["text"], rng)

        return mutate

    def same(row: Row, _: random.Random) -> None:
        row["summaries"][1]["text"] = row["summaries"][0]["text"]

    return [
        Plant("empty_response", 14, on_summary(emptied)),
        Plant("identical_responses", 14, same),
        Plant("invalid_text", 10, on_summary(with_nul)),
    ]
