"""What the recipe's repositories hold: made rows in files of the published names and kinds."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Mapping
from typing import Any

from benchmarks.twin import others, preferences
from benchmarks.twin.preferences import Maker, Row
from benchmarks.twin.words import Say

_URI = re.compile(r"^hf://(?P<repo>[^/]+/[^/]+)/(?P<path>.+)$")
_STARS = ("base", "online")  # what stands for a * of a path: two files, where it has one
_LINES = ("stanfordnlp/SHP", "openai/summarize_from_feedback")  # whose .json is a row a line
REPOS: Mapping[str, Maker] = {
    "Anthropic/hh-rlhf": preferences.hh_rlhf,
    "stanfordnlp/SHP": preferences.shp,
    "nvidia/HelpSteer": preferences.helpsteer,
    "PKU-Alignment/PKU-SafeRLHF-30K": preferences.pku_saferlhf,
    "openbmb/UltraFeedback": preferences.ultrafeedback,
    "openbmb/UltraInteract_pair": preferences.ultrainteract,
    "coseal/CodeUltraFeedback_binarized": preferences.code_ultrafeedback,
    "argilla/distilabel-math-preference-dpo": preferences.argilla_math,
    "argilla/distilabel-intel-orca-dpo-pairs": preferences.orca,
    "argilla/Capybara-Preferences-Filtered": preferences.capybara,
    "openai/summarize_from_feedback": preferences.summarize,
    "berkeley-nest/Nectar": preferences.nectar,
    "anon8231489123/ShareGPT_Vicuna_unfiltered": others.sharegpt,
    "WizardLMTeam/WizardLM_evol_instruct_V2_196k": others.sharegpt,
    "Open-Orca/SlimOrca": others.slim_orca,
    "TIGER-Lab/MathInstruct": others.math_instruct,
    "ise-uiuc/Magicoder-Evol-Instruct-110K": others.instruction_response,
    "vicgalle/alpaca-gpt4": others.gpt4_llm,
    "microsoft/orca-math-word-problems-200k": others.orca_math,
    "teknium/GPTeacher-General-Instruct": others.gpteacher,
    "openbmb/UltraInteract_sft": others.ultrainteract_sft,
    "argilla/distilabel-capybara-dpo-7k-binarized": others.capybara_7k,
    "DIBT/10k_prompts_ranked": others.dibt,
    "openai/gsm8k": others.question,
    "cais/mmlu": others.question,
    "openai/openai_humaneval": others.prompt,
    "google-research-datasets/mbpp": others.mbpp,
    "truthfulqa/truthful_qa": others.question,
    "allenai/ai2_arc": others.question,
    "tatsu-lab/alpaca_eval": others.alpaca_eval,
    "HuggingFaceH4/mt_bench_prompts": others.mt_bench,
    "lmarena-ai/arena-hard-auto-v0.1": others.arena_hard,
    "google/IFEval": others.prompt,
    "allenai/reward-bench": others.prompt,
}


def files(uris: list[str], rows: int) -> dict[str, dict[str, bytes]]:
    """Repository -> path -> content of all data sets that the recipe names.

    Args:
        rows: of each repository, dealt to its files.
    """
    found: dict[str, dict[str, bytes]] = {}
    for uri in uris:
        match = _URI.match(uri)
        if match is None or match["repo"] not in REPOS:
            raise SystemExit(
                f"{uri}: no rows are made for this set yet; see benchmarks/twin/hub.py"
            )
        repo = match["repo"]
        paths = sorted({match["path"].replace("*", star) for star in _STARS})
        say = Say(repo)
        made = [REPOS[repo](k, say) for k in range(rows)]
        found.setdefault(repo, {}).update(
            {path: written(path, repo, made[at :: len(paths)]) for at, path in enumerate(paths)}
        )
    return found


def written(path: str, repo: str, rows: list[Row]) -> bytes:
    """The rows as a file whose kind its name tells."""
    if path.endswith(".parquet"):
        return _parquet(rows)
    if path.endswith(".json") and repo not in _LINES:
        return json.dumps(rows).encode()
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    return gzip.compress(lines, mtime=0) if path.endswith(".gz") else lines


def _parquet(rows: list[Row]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out: Any = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return bytes(out.getvalue())
