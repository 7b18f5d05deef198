"""Made rows of SFT sets, prompt sets and benchmarks, in the schema that each of them publishes."""

from __future__ import annotations

from benchmarks.twin.preferences import Row, two
from benchmarks.twin.words import Say


def sharegpt(k: int, say: Say) -> Row:
    """ShareGPT, WizardLM and the like: speakers human and gpt, sometimes twice."""
    turns = [{"from": "human", "value": say.ask()}, {"from": "gpt", "value": say(24)}]
    if k % 3 == 0:
        turns += [{"from": "human", "value": say.ask()}, {"from": "gpt", "value": say(16)}]
    return {"id": f"id{k}", "conversations": turns}


def slim_orca(k: int, say: Say) -> Row:
    """Open-Orca/SlimOrca: a system turn in front, and weights of turns."""
    system = {"from": "system", "value": say(8), "weight": None}
    asked = {"from": "human", "value": say.ask(), "weight": 0.0}
    told = {"from": "gpt", "value": say(24), "weight": 1.0}
    return {"conversations": [system, asked, told] if k % 2 else [asked, told]}


def math_instruct(_: int, say: Say) -> Row:
    """TIGER-Lab/MathInstruct."""
    return {"source": "made", "output": say(20), "instruction": say.ask()}


def instruction_response(_: int, say: Say) -> Row:
    """ise-uiuc/Magicoder-Evol-Instruct-110K."""
    return {"instruction": say.ask(), "response": say(20)}


def gpt4_llm(k: int, say: Say) -> Row:
    """vicgalle/alpaca-gpt4: an input beside half of the instructions."""
    return {
        "instruction": say.ask(),
        "input": say(6) if k % 2 else "",
        "output": say(20),
        "text": "",
    }


def orca_math(_: int, say: Say) -> Row:
    """microsoft/orca-math-word-problems-200k."""
    return {"question": say.ask(), "answer": say(20)}


def gpteacher(k: int, say: Say) -> Row:
    """teknium/GPTeacher-General-Instruct."""
    return {"instruction": say.ask(), "input": say(6) if k % 2 else "", "response": say(20)}


def ultrainteract_sft(k: int, say: Say) -> Row:
    """openbmb/UltraInteract_sft."""
    told = {"task": "Math_CoT", "dataset": "made", "instruction": say.ask(), "response": say(20)}
    return {**told, "id": f"s{k}", "parent_id": f"p{k}"}


def capybara_7k(k: int, say: Say) -> Row:
    """argilla/distilabel-capybara-dpo-7k-binarized."""
    asked, chosen, rejected = say.ask(), say(12), say(12)
    return {
        "source": "made", "conversation": [{"input": asked, "output": chosen}],
        "original_response": chosen, "prompt": asked, "chosen": two(asked, chosen),
        "rejected": two(asked, rejected), "rating_chosen": 5, "rating_rejected": 2 + k % 3,
        "chosen_model": "capybara", "rejected_model": "other",
    }  # fmt: skip


def dibt(k: int, say: Say) -> Row:
    """DIBT/10k_prompts_ranked."""
    quality = [{"user_id": "u", "value": "4", "status": "submitted"}]
    return {
        "prompt": say.ask(), "quality": quality, "metadata": "{}", "avg_rating": 1.0 + k % 5,
        "num_responses": 1, "agreement_ratio": 1.0, "raw_responses": [4], "kind": "synthetic",
        "cluster_description": "made", "topic": "made",
    }  # fmt: skip


def question(k: int, say: Say) -> Row:
    """Benchmarks whose items are questions: GSM8K, MMLU, TruthfulQA, ARC."""
    return {"id": f"q{k}", "question": say.ask(), "answer": say(4)}


def prompt(k: int, say: Say) -> Row:
    """Benchmarks whose items are prompts: HumanEval, IFEval, RewardBench."""
    return {"key": k, "prompt": say.ask(), "subset": "made"}


def mbpp(k: int, say: Say) -> Row:
    """google-research-datasets/mbpp."""
    return {"task_id": k, "text": say.ask(), "code": "pass", "test_list": ["assert True"]}


def alpaca_eval(_: int, say: Say) -> Row:
    """tatsu-lab/alpaca_eval."""
    told = {"output": say(12), "generator": "text_davinci_003", "dataset": "made"}
    return {"instruction": say.ask(), **told}


def mt_bench(k: int, say: Say) -> Row:
    """HuggingFaceH4/mt_bench_prompts: both turns in one column."""
    turns = [say.ask(), say.ask()]
    return {"question_id": k, "category": "writing", "prompt": turns, "reference": []}


def arena_hard(k: int, say: Say) -> Row:
    """lmarena-ai/arena-hard-auto-v0.1: a turn is a struct."""
    told = {"question_id": f"q{k}", "category": "arena-hard-v0.1", "cluster": "made"}
    return {**told, "turns": [{"content": say.ask()}]}
