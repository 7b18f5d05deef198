"""Made rows of preference sets, in the native schema that each of them publishes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.twin.words import Say

Row = dict[str, Any]
Maker = Callable[[int, Say], Row]
_ASPECTS = ("instruction_following", "honesty", "truthfulness", "helpfulness")


def two(first: str, second: str) -> list[dict[str, str]]:
    """A user's turn and the assistant's."""
    return [{"role": "user", "content": first}, {"role": "assistant", "content": second}]


def hh_rlhf(k: int, say: Say) -> Row:
    """Anthropic/hh-rlhf: whole transcripts; every third has two exchanges."""
    before = f"\n\nHuman: {say.ask()}\n\nAssistant: {say(12)}" if k % 3 == 0 else ""
    asked = f"{before}\n\nHuman: {say.ask()}\n\nAssistant: "
    return {"chosen": asked + say(20), "rejected": asked + say(15)}


def shp(k: int, say: Say) -> Row:
    """stanfordnlp/SHP: two comments of a post and their votes; 1 means that A is preferred."""
    low, high = 2 + k % 5, (2 + k % 5) * (2 + k % 4)
    wins = k % 2
    return {
        "post_id": f"p{k}", "domain": "askbaking_train", "upvote_ratio": 0.9, "history": say.ask(),
        "c_root_id_A": f"a{k}", "c_root_id_B": f"b{k}", "created_at_utc_A": k,
        "created_at_utc_B": k + 1, "score_A": high if wins else low,
        "score_B": low if wins else high, "human_ref_A": say(18), "human_ref_B": say(18),
        "labels": wins, "seconds_difference": 1.0, "score_ratio": high / low,
    }  # fmt: skip


def helpsteer(k: int, say: Say) -> Row:
    """nvidia/HelpSteer: one row a response, four to a prompt."""
    marks = {"helpfulness": k % 5, "correctness": (k + 1) % 5}
    rest = {"coherence": 4, "complexity": 1, "verbosity": 2}
    return {"prompt": say.asked(k // 4), "response": say(20), **marks, **rest}


def pku_saferlhf(k: int, say: Say) -> Row:
    """PKU-Alignment/PKU-SafeRLHF-30K: who is better, who is safer, who is safe."""
    safe = (True, k % 3 > 0)
    return {
        "prompt": say.ask(), "response_0": say(16), "response_1": say(16),
        "is_response_0_safe": safe[0], "is_response_1_safe": safe[1],
        "better_response_id": k % 2, "safer_response_id": 0 if not safe[1] else k % 2,
    }  # fmt: skip


def ultrafeedback(k: int, say: Say) -> Row:
    """openbmb/UltraFeedback: four completions with ratings that are texts, N/A among them."""
    models = ["alpaca-7b", "bard", "gpt-4", "llama-2-70b-chat"]
    return {
        "source": "evol_instruct", "instruction": say.ask(), "models": models,
        "correct_answers": ["None"], "incorrect_answers": ["None"],
        "completions": [_completion(name, k + place, say) for place, name in enumerate(models)],
    }  # fmt: skip


def _completion(model: str, k: int, say: Say) -> Row:
    ratings = ["N/A" if (k + at) % 11 == 0 else str(1 + (k + at) % 5) for at in range(4)]
    notes = {
        aspect: {"Rating": rating, "Rationale": say(6)}
        for aspect, rating in zip(_ASPECTS, ratings, strict=True)
    }
    known = [float(rating) for rating in ratings if rating != "N/A"]
    return {
        "model": model, "principle": "helpfulness", "custom_system_prompt": "",
        "annotations": notes, "response": say(24), "critique": say(6), "overall_score": 7.0,
        "fine-grained_score": sum(known) / len(known),
    }  # fmt: skip


def ultrainteract(k: int, say: Say) -> Row:
    """openbmb/UltraInteract_pair: a trajectory and two next turns."""
    trajectory = [{"from": "user", "value": say.ask()}]
    if k % 3 == 0:
        trajectory += [{"from": "assistant", "value": say(12)}, {"from": "user", "value": say(8)}]
    return {
        "id": f"t{k}_0_1", "parent_id": f"t{k}", "task": "Coding", "dataset": "made",
        "trajectory": trajectory, "chosen": say(20), "rejected": say(20),
    }  # fmt: skip


def code_ultrafeedback(k: int, say: Say) -> Row:
    """coseal/CodeUltraFeedback_binarized."""
    sides = {"chosen": say(20), "rejected": say(20)}
    return {"instruction": say.ask(), **sides, "chosen_score": 5.0, "rejected_score": 1.0 + k % 4}


def argilla_math(k: int, say: Say) -> Row:
    """argilla/distilabel-math-preference-dpo."""
    return {
        "metadata": "{}", "instruction": say.ask(), "chosen_response": say(20),
        "chosen_rating": 9.0, "rejected_response": say(20), "rejected_rating": 5.0 + k % 3,
    }  # fmt: skip


def orca(k: int, say: Say) -> Row:
    """argilla/distilabel-intel-orca-dpo-pairs."""
    chosen, rejected = say(20), say(20)
    return {
        "system": say(6) if k % 2 else "", "input": say.ask(), "chosen": chosen,
        "rejected": rejected, "generations": [chosen, rejected], "order": ["chosen", "rejected"],
        "labelling_model": "gpt-4-1106-preview", "labelling_prompt": two(say(4), say(4)),
        "raw_labelling_response": "9\n7", "rating": [9.0, 5.0 + k % 3], "rationale": say(6),
        "status": ("unchanged", "swapped", "tie")[k % 9 % 3] if k % 9 == 2 else "unchanged",
        "original_chosen": chosen, "original_rejected": rejected,
        "chosen_score": 9.0 if k % 7 else 7.0, "in_gsm8k_train": k % 10 == 0,
    }  # fmt: skip


def capybara(k: int, say: Say) -> Row:
    """argilla/Capybara-Preferences-Filtered: message lists that share all but the last."""
    before = two(say.ask(), say(12)) if k % 2 else []
    asked = say.ask()
    return {
        "source": "made", "chosen": [*before, *two(asked, say(20))], "chosen_rating": 5,
        "chosen_model": "capybara", "rejected": [*before, *two(asked, say(16))],
        "rejected_rating": 2 + k % 3, "rejected_model": "other",
    }  # fmt: skip


def summarize(k: int, say: Say) -> Row:
    """openai/summarize_from_feedback, comparisons."""
    return {
        "info": {"id": f"t3_{k}", "post": say(30), "title": say(5), "subreddit": "made"},
        "summaries": [
            {"text": f" {say(10)}", "policy": "sup2", "note": None},
            {"text": f" {say(10)}", "policy": "ref", "note": None},
        ],
        "choice": k % 2, "worker": "w", "batch": "b", "split": "train", "extra": {"confidence": 5},
    }  # fmt: skip


def nectar(k: int, say: Say) -> Row:
    """berkeley-nest/Nectar: seven ranked answers."""
    answers = [
        {"answer": say(14), "model": f"m{place}", "rank": float(place + 1)} for place in range(7)
    ]
    return {
        "prompt": f"\n\nHuman: {say.ask()}\n\nAssistant: ", "answers": answers, "turns": 1,
        "num_responses": 7, "source": ["made"], "good_natured": k % 2 == 0,
    }  # fmt: skip
