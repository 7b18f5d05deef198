"""The paper's own figures (arXiv 2405.07863, v3), printed beside ours where a set is in them."""

from __future__ import annotations

from dataclasses import dataclass

TITLE = "RLHF Workflow: From Reward Modeling to Online RLHF (arXiv 2405.07863, v3)"


@dataclass(frozen=True)
class PaperRow:
    """One row of the paper's data table; lengths in tokens of the LLaMA-3-8B tokenizer."""

    label: str
    prompts: int
    prompt_tokens: float
    chosen_tokens: float
    rejected_tokens: float
    annotator: str
    pairs: int


MIXES: dict[str, PaperRow] = {
    "hh_rlhf": PaperRow("HH-RLHF", 115092, 160.4, 82.2, 73.6, "human", 115396),
    "shp": PaperRow("SHP", 31003, 186.2, 173.6, 88.8, "human", 93301),
    "helpsteer": PaperRow("HelpSteer", 8592, 530.0, 116.4, 89.3, "human", 37131),
    "pku_saferlhf": PaperRow("PKU-SafeRLHF-30K", 6975, 21.5, 70.4, 74.6, "human", 26874),
    "ultrafeedback": PaperRow("UltraFeedback", 63591, 161.5, 279.5, 211.1, "GPT-4", 340025),
    "ultrainteract": PaperRow("UltraInteract", 76086, 507.4, 396.6, 416.7, "GPT-4", 161927),
    "code_ultrafeedback": PaperRow(
        "CodeUltraFeedback", 9938, 172.8, 427.6, 400.6, "GPT-3.5", 50156
    ),
    "argilla_math": PaperRow("Argilla-Math", 2352, 36.5, 276.5, 265.3, "GPT-4", 2418),
    "orca": PaperRow("OpenOrca (distilabel)", 6791, 153.3, 165.4, 260.5, "GPT-4", 6926),
    "capybara": PaperRow("Capybara (distilabel)", 14740, 634.5, 348.4, 401.9, "GPT-4", 14811),
}
"""Source format name -> the paper's row after filtering."""
_SAME_SET = {"ultrafeedback_binarized": "ultrafeedback", "orca_intel": "orca"}


def row_of(source: str, form: str) -> PaperRow | None:
    """The paper's row of a set, by the format it is read with, else by its name."""
    by_form = MIXES.get(_SAME_SET.get(form, form))
    return by_form or MIXES.get(source)


LENGTH_BIAS: dict[str, float] = {"UltraRM-13B": 0.19, "BT 8B, mix2": 0.06}
"""Mean within-prompt Pearson of length and reward over 2,000 prompts x 8 responses."""

CHAT_COLUMNS = ("alpaca-eval", "mt-bench", "arena-hard")
CHAT: tuple[tuple[str, float, float, float], ...] = (
    ("SFT", 10.2, 7.69, 5.6),
    ("offline DPO", 22.5, 8.17, 22.4),
    ("iterative DPO", 31.3, 8.46, 29.1),
    ("LLaMA-3-8B-it", 22.9, 8.16, 20.6),
)
"""Policy, then length-controlled AlpacaEval-2 win rate (%), MT-Bench score, Arena-Hard (%)."""

ACADEMIC_COLUMNS = ("GSM8K", "MMLU", "HumanEval", "TruthfulQA", "ARC", "MBPP")
ACADEMIC: tuple[tuple[str, float, float, float, float, float, float], ...] = (
    ("LLaMA-3-8B-it", 79.6, 66.0, 61.6, 43.9, 59.5, 61.1),
    ("SFT", 74.2, 64.7, 65.2, 53.4, 61.4, 62.3),
    ("DPO", 79.8, 64.5, 63.4, 61.8, 65.2, 60.3),
    ("iterative DPO", 80.7, 65.3, 64.6, 60.4, 64.3, 60.8),
)
"""Policy, then its figures on the academic benchmarks (%), by `ACADEMIC_COLUMNS`."""

REWARD_BENCH: tuple[tuple[str, float, float, float, float], ...] = (
    ("paper: prompting 8B", 93.6, 44.3, 71.3, 73.5),
    ("paper: UltraRM-13B, mix1", 96.4, 55.5, 55.0, 62.4),
    ("paper: BT 8B, mix2", 99.4, 65.1, 87.8, 86.4),
    ("paper: preference model 8B, mix2", 98.3, 65.8, 89.7, 94.7),
)
"""Judge, then RewardBench's chat, chat-hard, safety and reasoning (%)."""
