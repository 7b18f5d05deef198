"""Native rows of the SFT sets, the prompt sets and the benchmark."""

from __future__ import annotations

import random

from data.sample.maker import Maker, Mutation, Plant, Row
from data.sample.mutations import over_long, with_control_token, with_nul
from data.sample.pairing import edit_fields, emptied
from data.sample.writers import SFT_WRITER, respond


def sharegpt(maker: Maker) -> list[Row]:
    """ShareGPT form: conversations of human and gpt turns, a tenth of two exchanges."""
    rows: list[Row] = []
    for index in range(maker.count(3000)):
        rng = maker.rng("sharegpt", index)
        turns: list[Row] = []
        for _ in range(1 + (rng.random() < 0.1)):
            task, prompt = maker.prompt(rng)
            turns += [_said("human", prompt), _said("gpt", respond(task, SFT_WRITER, rng))]
        rows.append({"id": f"sg{index:05d}", "conversations": turns})
    plants = [
        Plant("empty_response", 12, _empty_answer),
        Plant("bad_roles", 12, _swap_speakers),
        Plant("control_tokens", 12, _token_in_answer),
        Plant("benchmark", 6, _benchmark_turn(maker)),
    ]
    maker.plant("sharegpt", rows, plants)
    return rows


def _said(speaker: str, text: str) -> Row:
    return {"from": speaker, "value": text}


def _empty_answer(row: Row, rng: random.Random) -> None:
    row["conversations"][-1]["value"] = emptied("", rng)


def _token_in_answer(row: Row, rng: random.Random) -> None:
    last = row["conversations"][-1]
    last["value"] = with_control_token(last["value"], rng)


def _swap_speakers(row: Row, _: random.Random) -> None:
    """The model speaks first: an even number of turns in the wrong order."""
    first, second = row["conversations"][:2]
    row["conversations"][:2] = [second, first]


def _benchmark_turn(maker: Maker) -> Mutation:
    def mutate(row: Row, rng: random.Random) -> None:
        row["conversations"] = row["conversations"][-2:]
        row["conversations"][0]["value"] = maker.benchmark_question("", rng)

    return mutate


def gpteacher(maker: Maker) -> list[Row]:
    """GPTeacher form: instruction, input (mostly empty) and response."""
    rows: list[Row] = []
    for index in range(maker.count(3000)):
        rng = maker.rng("gpteacher", index)
        task, prompt = maker.prompt(rng)
        row = {"instruction": prompt, "input": "", "response": respond(task, SFT_WRITER, rng)}
        if rng.random() < 0.1:
            row |= {"instruction": "Answer the question.", "input": prompt}
        rows.append(row)
    plants = [
        Plant("empty_response", 12, edit_fields(("response",), emptied)),
        Plant("invalid_text", 10, edit_fields(("response",), with_nul)),
        Plant("over_long_prompt", 6, edit_fields(("instruction",), over_long)),
        Plant("benchmark", 6, _benchmark_instruction(maker)),
    ]
    maker.plant("gpteacher", rows, plants)
    return rows


def _benchmark_instruction(maker: Maker) -> Mutation:
    def mutate(row: Row, rng: random.Random) -> None:
        row["instruction"], row["input"] = maker.benchmark_question("", rng), ""

    return mutate


def ultrafeedback_prompts(maker: Maker) -> list[Row]:
    """Instructions in UltraFeedback's form, none of them in the preference set."""
    rows: list[Row] = []
    for index in range(maker.count(1700)):
        rng = maker.rng("ultrafeedback_prompts", index)
        source = rng.choice(("evol_instruct", "sharegpt", "flan_v2_cot"))
        rows.append({"source": source, "instruction": maker.prompt(rng)[1]})
    _plant_prompts(maker, "ultrafeedback_prompts", "instruction", rows)
    return rows


def dibt_10k(maker: Maker) -> list[Row]:
    """DIBT/10k_prompts_ranked: prompts with the ratings people gave them."""
    rows = [_dibt_row(maker, index) for index in range(maker.count(1500))]
    _plant_prompts(maker, "dibt_10k", "prompt", rows)
    return rows


def _dibt_row(maker: Maker, index: int) -> Row:
    rng = maker.rng("dibt_10k", index)
    ratings = [rng.randrange(2, 6) for _ in range(rng.randrange(1, 4))]
    mean = sum(ratings) / len(ratings)
    agreement = sum(rating == ratings[0] for rating in ratings) / len(ratings)
    task, prompt = maker.prompt(rng)
    return {
        "prompt": prompt,
        "quality": [
            {"user_id": f"u{person}", "value": str(rating), "status": "submitted"}
            for person, rating in enumerate(ratings)
        ],
        "metadata": "{}",
        "avg_rating": round(mean, 6),
        "num_responses": len(ratings),
        "agreement_ratio": round(agreement, 6),
        "raw_responses": ratings,
        "kind": "synthetic",
        "cluster_description": f"Animals and their {task.attribute}",
        "topic": "animals",
    }


def _plant_prompts(maker: Maker, source: str, field: str, rows: list[Row]) -> None:
    """Empty, over-long, invalid and benchmark prompts, and exact copies of other rows."""
    originals = [row[field] for row in rows]
    kept = len(rows) - maker.count(20)

    def copy(row: Row, rng: random.Random) -> None:
        row[field] = originals[kept + rng.randrange(len(originals) - kept)]

    plants = [
        Plant("empty_prompt", 8, edit_fields((field,), emptied)),
        Plant("over_long_prompt", 8, edit_fields((field,), over_long)),
        Plant("invalid_text", 6, edit_fields((field,), with_nul)),
        Plant("control_tokens", 6, edit_fields((field,), with_control_token)),
        Plant("benchmark", 12, edit_fields((field,), maker.benchmark_question)),
        Plant("duplicate_prompt", 12, copy),
    ]
    maker.plant(source, rows, plants, free=kept)


def animal_bench(maker: Maker) -> list[Row]:
    """The benchmark: questions that no training table may hold."""
    return [
        {"question_id": index, "question": question, "category": "animals"}
        for index, question in enumerate(maker.benchmark())
    ]
