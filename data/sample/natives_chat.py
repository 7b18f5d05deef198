"""Native rows of UltraInteract, Capybara and Orca: conversations with two candidate last turns."""

from __future__ import annotations

import random

from data.sample.maker import Maker, Mutation, Plant, Row, ranked_levels
from data.sample.mutations import assistant, over_long, user, with_control_token, with_nul
from data.sample.pairing import BOTH, Edit, compare, copied, earlier_turn, edit_fields, emptied

SYSTEM = "You are a careful guide to animals."


def ultrainteract(maker: Maker) -> list[Row]:
    """openbmb/UltraInteract_pair: a trajectory ending with the user, and two next turns."""
    rows: list[Row] = []
    for index in range(maker.count(400)):
        rng = maker.rng("ultrainteract", index)
        trajectory: list[Row] = []
        if rng.random() < 0.15:
            question, answer = earlier_turn(maker, rng)
            trajectory += [_said("user", question), _said("assistant", answer)]
        task, prompt = maker.prompt(rng)
        chosen, rejected = compare(maker, prompt, task, rng)
        parent = f"{index:08x}"
        rows.append(
            {
                "id": f"{parent}_{len(trajectory) // 2}_0",
                "parent_id": parent,
                "task": rng.choice(("Coding", "Math_CoT", "Math_PoT", "Logic")),
                "dataset": "sample-world",
                "trajectory": [*trajectory, _said("user", prompt)],
                "chosen": chosen,
                "rejected": rejected,
            }
        )
    plants = [
        Plant("odd_turns", 10, _answered_already),
        Plant("bad_roles", 10, _three_user_turns),
        Plant("empty_response", 8, edit_fields(BOTH, emptied)),
        Plant("identical_responses", 8, copied("rejected", "chosen")),
        Plant("control_tokens", 6, edit_fields(BOTH, with_control_token)),
    ]
    maker.plant("ultrainteract", rows, plants)
    return rows


def _said(speaker: str, text: str) -> Row:
    return {"from": speaker, "value": text}


def _answered_already(row: Row, _: random.Random) -> None:
    """The trajectory ends with the assistant: one turn too many."""
    row["trajectory"] = [*row["trajectory"], _said("assistant", "In order:")]


def _three_user_turns(row: Row, _: random.Random) -> None:
    """Three user turns in a row: an even number of turns in all, the alternation broken."""
    extra = [_said("user", "Please answer."), _said("user", "Are you there?")]
    row["trajectory"] = [*row["trajectory"], *extra]


def capybara(maker: Maker) -> list[Row]:
    """argilla/distilabel-capybara-dpo-7k-binarized: rated message lists, some of two exchanges."""
    rows: list[Row] = []
    for index in range(maker.count(360)):
        rng = maker.rng("capybara", index)
        turns = [earlier_turn(maker, rng)] if rng.random() < 0.25 else []
        task, prompt = maker.prompt(rng)
        chosen, rejected = compare(maker, prompt, task, rng)
        ratings = ranked_levels(prompt, [chosen, rejected], 1, 5)
        rows.append(_capybara_row([*turns, (prompt, chosen)], rejected, ratings))
    plants = [
        Plant("tie", 15, copied("rating_rejected", "rating_chosen")),
        Plant("odd_turns", 6, _open_end),
        Plant("unequal_prompts", 6, _other_context),
        Plant("identical_responses", 6, copied("rejected", "chosen")),
        Plant("control_tokens", 6, _on_last_message(with_control_token)),
        Plant("benchmark", 4, _benchmark_input(maker)),
    ]
    maker.plant("capybara", rows, plants)
    return rows


def _capybara_row(turns: list[tuple[str, str]], rejected: str, ratings: list[int]) -> Row:
    (prompt, chosen), earlier = turns[-1], turns[:-1]
    context = [message for said in earlier for message in (user(said[0]), assistant(said[1]))]
    return {
        "source": "SampleWorld",
        "conversation": [{"input": question, "output": answer} for question, answer in turns],
        "original_response": chosen,
        "generation_prompt": [prompt],
        "raw_generation_responses": [rejected],
        "new_generations": [rejected],
        "prompt": prompt,
        "chosen": [*context, user(prompt), assistant(chosen)],
        "rejected": [*context, user(prompt), assistant(rejected)],
        "rating_chosen": ratings[0],
        "rating_rejected": ratings[1],
        "chosen_model": "beta",
        "rejected_model": "alpha",
    }


def _open_end(row: Row, _: random.Random) -> None:
    """Both lists end with one more user turn."""
    row["chosen"] = [*row["chosen"], user("Thanks!")]
    row["rejected"] = [*row["rejected"], user("Are you sure?")]


def _other_context(row: Row, _: random.Random) -> None:
    """The two lists ask different questions."""
    row["rejected"] = [*row["rejected"][:-2], user("Tell me more."), row["rejected"][-1]]


def _on_last_message(edit: Edit) -> Mutation:
    def mutate(row: Row, rng: random.Random) -> None:
        side = rng.choice(BOTH)
        last = row[side][-1]
        row[side] = [*row[side][:-1], assistant(edit(last["content"], rng))]

    return mutate


def _benchmark_input(maker: Maker) -> Mutation:
    """Turn the row into a single exchange about a benchmark question."""

    def mutate(row: Row, rng: random.Random) -> None:
        question = maker.benchmark_question("", rng)
        for side in BOTH:
            row[side] = [user(question), row[side][-1]]
        row["prompt"], row["conversation"] = question, row["conversation"][-1:]
        row["conversation"][0]["input"] = question

    return mutate


def orca(maker: Maker) -> list[Row]:
    """argilla/distilabel-intel-orca-dpo-pairs: scored pairs, a quarter with a system turn."""
    rows: list[Row] = []
    for index in range(maker.count(400)):
        rng = maker.rng("orca", index)
        task, prompt = maker.prompt(rng)
        chosen, rejected = compare(maker, prompt, task, rng)
        rows.append(_orca_row(prompt, chosen, rejected, rng))
    plants = [
        Plant("status_tie", 15, _status_tie),
        Plant("low_chosen_score", 15, _low_score),
        Plant("in_gsm8k_train", 10, lambda row, _: row.update(in_gsm8k_train=True)),
        Plant("empty_response", 5, edit_fields(BOTH, emptied)),
        Plant("invalid_text", 4, edit_fields(BOTH, with_nul)),
        Plant("over_long_prompt", 4, edit_fields(("input",), over_long)),
        Plant("benchmark", 4, _orca_benchmark(maker)),
    ]
    maker.plant("orca", rows, plants)
    return rows


def _orca_row(prompt: str, chosen: str, rejected: str, rng: random.Random) -> Row:
    low, high = sorted((rng.randrange(2, 15) / 2, rng.randrange(16, 21) / 2))
    swapped = rng.random() < 0.3
    originals = (rejected, chosen) if swapped else (chosen, rejected)
    return {
        "system": SYSTEM if rng.random() < 0.25 else "",
        "input": prompt,
        "chosen": chosen,
        "rejected": rejected,
        "generations": [chosen, rejected],
        "order": ["chosen", "rejected"],
        "labelling_model": "sample-annotator",
        "labelling_prompt": [],
        "raw_labelling_response": f"{high} {low}",
        "rating": [high, low],
        "rationale": "",
        "status": "swapped" if swapped else "unchanged",
        "original_chosen": originals[0],
        "original_rejected": originals[1],
        "chosen_score": high,
        "in_gsm8k_train": False,
    }


def _status_tie(row: Row, _: random.Random) -> None:
    row["status"], row["rating"] = "tie", [row["chosen_score"]] * 2


def _low_score(row: Row, rng: random.Random) -> None:
    row["chosen_score"] = 7.5
    row["rating"] = [7.5, rng.randrange(2, 15) / 2]
    row["raw_labelling_response"] = f"{row['rating'][0]} {row['rating'][1]}"


def _orca_benchmark(maker: Maker) -> Mutation:
    def mutate(row: Row, rng: random.Random) -> None:
        row["system"], row["input"] = "", maker.benchmark_question("", rng)

    return mutate
