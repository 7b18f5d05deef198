"""Where the SQL checks of each table are, below ``curation/gates/checks``; it imports nothing.

One folder holds what every table is checked for, one what tables of the same shape share.
"""

from __future__ import annotations

COMMON = "any"
FOLDERS: dict[str, tuple[str, ...]] = {
    "source_preference": ("preference_rows", "sources"),
    "source_sft": ("sft_rows", "sources"),
    "source_prompts": ("prompts_rows", "sources"),
    "source_benchmark": ("benchmark_rows",),
    "mixes": ("asked", "mixes", "preference_rows", "splits", "trained"),
    "sft_mix": ("asked", "sft_rows", "splits", "trained"),
    "prompts": ("asked", "prompts", "prompts_rows"),
    "generations": ("generations", "responses"),
    "scores": ("judged", "scores"),
    "pairs": ("pairs", "trained"),
    "history": ("history", "history_rows", "trained"),
    "offline": ("history_rows", "trained"),
    "reference": ("reference",),
    "evaluation": ("evaluation", "judged", "responses"),
}
"""Table -> the folders of its own checks."""


def folders_of(table: str) -> tuple[str, ...]:
    """The folders of ``curation/gates/checks`` that a table's gate reads, the common one first."""
    return (COMMON, *FOLDERS[table])
