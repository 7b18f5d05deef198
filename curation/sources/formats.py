"""Every format by its name in params.yaml."""

from __future__ import annotations

from curation.core.errors import UserError
from curation.core.words import meant
from curation.sources import demonstrations as sft
from curation.sources import generic, pairs, prompt_sets, rated, summaries
from curation.sources.base import Format

FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        pairs.HH_RLHF,
        pairs.SHP,
        pairs.PKU_SAFERLHF,
        pairs.ULTRAINTERACT,
        pairs.CAPYBARA,
        pairs.ORCA,
        pairs.ORCA_INTEL,
        rated.HELPSTEER,
        rated.ULTRAFEEDBACK,
        rated.ULTRAFEEDBACK_BINARIZED,
        summaries.SUMMARIZE,
        rated.NECTAR,
        generic.CODE_ULTRAFEEDBACK,
        generic.ARGILLA_MATH,
        generic.TRL,
        generic.RLHFLOW,
        generic.SHAREGPT_PAIRS,
        generic.STRINGS,
        sft.SHAREGPT,
        sft.MESSAGES_COLUMN,
        sft.ALPACA,
        sft.GPTEACHER,
        sft.INSTRUCTION_RESPONSE,
        sft.INSTRUCTION_OUTPUT,
        sft.QUESTION_ANSWER,
        sft.ULTRAINTERACT_SFT,
        prompt_sets.ULTRAFEEDBACK_PROMPTS,
        prompt_sets.HELPSTEER_PROMPTS,
        prompt_sets.OPENORCA,
        prompt_sets.ULTRAINTERACT_PROMPTS,
        prompt_sets.CAPYBARA_PROMPTS,
        prompt_sets.DIBT,
        prompt_sets.ALPACA_EVAL_PROMPTS,
        prompt_sets.PROMPT_COLUMN,
        prompt_sets.TEXT_COLUMN,
        prompt_sets.MT_BENCH,
    )
}


def find(name: str, kind: str, key: str) -> Format:
    """The format of this name.

    Raises:
        UserError: no format has the name, or it reads rows of another kind than `key` declares.
    """
    if name not in FORMATS:
        alike = [one.name for one in FORMATS.values() if one.kind == kind]
        raise UserError(f"{key}.format: no format is named {name}; {meant(name, alike)}")
    found = FORMATS[name]
    if found.kind != kind:
        raise UserError(f"{key}.format: {name} reads {found.kind} rows, but kind is {kind}")
    return found
