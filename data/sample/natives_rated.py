"""Native rows of HelpSteer, UltraFeedback and Nectar: several rated responses a prompt."""

from __future__ import annotations

import random

from data.sample.maker import Maker, Plant, Row, ranked_levels
from data.sample.mutations import blank, over_long, with_control_token, with_nul
from data.sample.pairing import edit_fields
from data.sample.writers import MIX_WRITERS, OTHER_WRITERS, respond_distinct

ASPECTS = ("instruction_following", "honesty", "truthfulness", "helpfulness")


def _ranked_texts(maker: Maker, rng: random.Random, size: int) -> tuple[str, list[str]]:
    """A fresh prompt and `size` different responses, best first by the noisy annotator."""
    task, prompt = maker.prompt(rng)
    writers = [MIX_WRITERS[place % len(MIX_WRITERS)] for place in range(size)]
    texts = respond_distinct(task, writers, rng)
    return prompt, [texts[index] for index in maker.ranking(prompt, texts, rng)]


def helpsteer(maker: Maker) -> list[Row]:
    """nvidia/HelpSteer: one row per response, four to a prompt, whole ratings 0 to 4."""
    groups: list[Row] = []
    for index in range(maker.count(150)):
        rng = maker.rng("helpsteer", index)
        prompt, texts = _ranked_texts(maker, rng, 4)
        halves = ranked_levels(prompt, texts, 0, 8)
        rows = [_helpsteer_row(prompt, *item) for item in zip(texts, halves, strict=True)]
        rng.shuffle(rows)
        groups.append({"rows": rows})
    plants = [
        Plant("tie", 40, _helpsteer_tie),
        Plant("empty_response", 6, _helpsteer_empty, items=3),
        Plant("control_tokens", 4, _helpsteer_token, items=3),
    ]
    maker.plant("helpsteer", groups, plants)
    return [row for group in groups for row in group["rows"]]


def _helpsteer_row(prompt: str, text: str, halves: int) -> Row:
    """A row whose mean of helpfulness and correctness is halves / 2."""
    return {
        "prompt": prompt,
        "response": text,
        "helpfulness": (halves + 1) // 2,
        "correctness": halves // 2,
        "coherence": 4,
        "complexity": 1,
        "verbosity": min(4, len(text) // 25),
    }


def _helpsteer_tie(group: Row, _: random.Random) -> None:
    """Give the best response the ratings of the second: one pair of the six ties."""
    ranked = sorted(group["rows"], key=lambda row: -row["helpfulness"] - row["correctness"])
    for name in ("helpfulness", "correctness"):
        ranked[0][name] = ranked[1][name]


def _helpsteer_empty(group: Row, rng: random.Random) -> None:
    rng.choice(group["rows"])["response"] = blank(rng)


def _helpsteer_token(group: Row, rng: random.Random) -> None:
    row = rng.choice(group["rows"])
    row["response"] = with_control_token(row["response"], rng)


def ultrafeedback(maker: Maker) -> list[Row]:
    """openbmb/UltraFeedback: four completions, ratings as strings, some "N/A", some wrong 10s."""
    rows: list[Row] = []
    for index in range(maker.count(280)):
        rng = maker.rng("ultrafeedback", index)
        prompt, texts = _ranked_texts(maker, rng, 4)
        sums = ranked_levels(prompt, texts, 4, 20)
        completions = [_completion(*item, rng) for item in zip(texts, sums, strict=True)]
        rng.shuffle(completions)
        rows.append(
            {
                "source": rng.choice(("evol_instruct", "sharegpt", "flan_v2_cot")),
                "instruction": prompt,
                "models": [completion["model"] for completion in completions],
                "completions": completions,
                "correct_answers": ["None"],
                "incorrect_answers": ["None"],
            }
        )
    asked = ("instruction",)
    plants = [
        Plant("tie", 50, _ultrafeedback_tie),
        Plant("na_ratings", 10, _all_missing, items=3),
        Plant("empty_response", 8, _ultrafeedback_empty, items=3),
        Plant("invalid_text", 6, _ultrafeedback_nul, items=3),
        Plant("over_long_prompt", 3, edit_fields(asked, over_long), items=6),
        Plant("benchmark", 2, edit_fields(asked, maker.benchmark_question), items=6),
    ]
    maker.plant("ultrafeedback", rows, plants)
    return rows


def _completion(text: str, total: int, rng: random.Random) -> Row:
    """A completion whose four ratings sum to `total`; every eighth bad one is scored 10 for 1."""
    ratings = [(total + aspect) // 4 for aspect in range(4)]
    mean = sum(ratings) / 4
    wrong_ten = mean <= 2 and rng.random() < 0.125
    return {
        "model": rng.choice(("alpaca-7b", "falcon-40b-instruct", "gpt-4", "starchat")),
        "principle": "helpfulness",
        "custom_system_prompt": "",
        "response": text,
        "annotations": {
            aspect: {"Rating": str(rating), "Rationale": "As the items deserve."}
            for aspect, rating in zip(ASPECTS, ratings, strict=True)
        },
        "critique": "",
        "overall_score": 10.0 if wrong_ten else float(round(2 * mean)),
        "fine-grained_score": mean,
    }


def _rate(completion: Row, ratings: list[str]) -> None:
    for aspect, rating in zip(ASPECTS, ratings, strict=True):
        completion["annotations"][aspect]["Rating"] = rating
    numbers = [int(rating) for rating in ratings if rating != "N/A"]
    completion["fine-grained_score"] = sum(numbers) / len(numbers) if numbers else None


def _ultrafeedback_tie(row: Row, _: random.Random) -> None:
    """Rate the best completion like the second: one pair of the six ties."""
    best, second = sorted(row["completions"], key=lambda item: -item["fine-grained_score"])[:2]
    _rate(best, [second["annotations"][aspect]["Rating"] for aspect in ASPECTS])


def _all_missing(row: Row, rng: random.Random) -> None:
    _rate(rng.choice(row["completions"]), ["N/A"] * 4)


def _ultrafeedback_empty(row: Row, rng: random.Random) -> None:
    rng.choice(row["completions"])["response"] = blank(rng)


def _ultrafeedback_nul(row: Row, rng: random.Random) -> None:
    completion = rng.choice(row["completions"])
    completion["response"] = with_nul(completion["response"], rng)


def nectar(maker: Maker) -> list[Row]:
    """berkeley-nest/Nectar: seven ranked answers by other writers, with other styles and faults."""
    rows: list[Row] = []
    for index in range(maker.count(700)):
        rng = maker.rng("nectar", index)
        task, prompt = maker.prompt(rng)
        writers = [OTHER_WRITERS[place % len(OTHER_WRITERS)] for place in range(7)]
        texts = respond_distinct(task, writers, rng)
        answers = [
            {"answer": texts[place], "model": writers[place].name, "rank": float(rank)}
            for rank, place in enumerate(maker.ranking(prompt, texts, rng), start=1)
        ]
        rows.append(
            {
                "prompt": f"\n\nHuman: {prompt}\n\nAssistant: ",
                "answers": answers,
                "turns": 1,
                "num_responses": 7,
                "source": ["sample-world"],
                "good_natured": True,
            }
        )
    plants = [
        Plant("empty_response", 20, _nectar_empty),
        Plant("identical_responses", 20, _nectar_same),
        Plant("invalid_text", 10, _nectar_nul),
    ]
    maker.plant("nectar", rows, plants)
    return rows


def _nectar_empty(row: Row, rng: random.Random) -> None:
    row["answers"][6]["answer"] = blank(rng)


def _nectar_same(row: Row, _: random.Random) -> None:
    row["answers"][6]["answer"] = row["answers"][0]["answer"]


def _nectar_nul(row: Row, rng: random.Random) -> None:
    row["answers"][6]["answer"] = with_nul(row["answers"][6]["answer"], rng)
