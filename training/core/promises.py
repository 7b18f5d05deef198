"""The promises of the contract, each tried on a checkpoint's own files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from curation.core.errors import UserError
from training.core import template_source
from training.core.chat_template import ChatTemplate, Messages

Verdict = Literal["holds", "noted", "broken"]

TEXTS = (
    "The capital of France is Paris.",
    " A wren, a finch and  a dipper.\n",
    "def f(x):\n    return x  # 1,000\n\n\n\tdone",
    "猫は動物です。 안녕하세요! 🙂",
    "<b>5 < 7</b> & `[x]` {y}",
)
"""Answers of many kinds: blanks at both ends, code, scripts without spaces, markup."""

THOUGHT = "<think>\nA short thought.\n</think>\n\nAn answer."


@dataclass(frozen=True)
class Subject:
    """A checkpoint's tokenizer and template, and the end tokens that its configurations name."""

    path: Path
    tokenizer: Any
    template: ChatTemplate

    declared_ends: list[int]
    trained: bool

    def text(self, ids: Sequence[int]) -> str:
        """Tokens as they are written, control tokens included."""
        return str(self.tokenizer.decode(list(ids)))


def _one_bos(of: Subject) -> tuple[Verdict, str]:
    bos = of.tokenizer.bos_token_id
    ids = of.template.encode(_dialogue(2))
    if bos is None:
        return "holds", "the tokenizer has no BOS"
    if bos == of.template.end_id or bos in _turn_starts(of):
        return "holds", f"{of.text([bos])!r} opens or ends each turn; none is added"
    if ids.count(bos) > 1 or (bos in ids and ids[0] != bos):
        return "broken", f"{ids.count(bos)} BOS in one conversation; there may be one, at the start"
    return "holds", f"{ids.count(bos)} at the start"


def _turn_starts(of: Subject) -> set[int]:
    """Tokens that stand in a conversation once for every turn: ChatML's start is one."""
    short, long = (of.template.encode(_dialogue(turns)) for turns in (1, 2))
    return {token for token in set(short) if long.count(token) > short.count(token)}


def _one_end(of: Subject) -> tuple[Verdict, str]:
    end = of.template.end_id
    added = of.tokenizer.added_tokens_decoder.get(end)
    if added is None or not added.special:
        return "broken", (
            f"an assistant's turn ends with {of.text([end])!r}, which is no special token: every "
            "answer would stop at that text; name a chat_template of this tokenizer"
        )
    return "holds", f"{of.text([end])!r} ({end})"


def _whole(of: Subject) -> tuple[Verdict, str]:
    """What is sampled from, and what is trained on, begin alike."""
    different = []
    for text in TEXTS:
        asked = _dialogue(1)[:1]
        prompt = of.template.encode(asked, add_generation_prompt=True)
        whole = of.template.encode([*asked, {"role": "assistant", "content": text}])
        if whole != prompt + of.template.completions([text])[0]:
            different.append(text)
    if different:
        return "noted", (
            f"prompt + completion is another conversation than the template's own for "
            f"{len(different)} of {len(TEXTS)} texts ({different[0][:24]!r}); what follows the "
            "generation prompt is trained on, as it is sampled"
        )
    return "holds", f"{len(TEXTS)} of {len(TEXTS)} texts"


def _no_control(of: Subject) -> tuple[Verdict, str]:
    """A draw that holds a control token before its end is a failed draw."""
    control = of.template.control_ids
    ids = of.template.completions(TEXTS[:1])[0][:-1]
    if control.isdisjoint(ids):
        return "holds", f"only {of.text([of.template.end_id])!r}, at their end"
    last = max(place for place, token in enumerate(ids) if token in control)
    return "broken" if of.trained else "noted", (
        f"the template begins answers with {of.text(ids[: last + 1])!r}: what this model says "
        "would be failed draws, all of them; name another by base.chat_template"
    )


def _round_trip(of: Subject) -> tuple[Verdict, str]:
    """Text that is encoded, where there are no sampled ids, reads the same."""
    changed = [
        text
        for text, ids in zip(TEXTS, of.template.completions(TEXTS), strict=True)
        if of.template.decode(ids[:-1]) != text
    ]
    if changed:
        return "noted", (
            f"{len(changed)} of {len(TEXTS)} texts read otherwise once encoded "
            f"({changed[0][:24]!r}): the template or the tokenizer trims them"
        )
    return "holds", f"{len(TEXTS)} of {len(TEXTS)} texts"


def _pad(of: Subject) -> tuple[Verdict, str]:
    pad = of.tokenizer.pad_token_id
    if pad is None:
        return "broken", "there is no padding token"
    if pad == of.template.end_id:
        return "broken" if of.trained else "noted", (
            f"{of.text([pad])!r} both pads and ends a turn: where a reward model reads depends on "
            "who loads it"
        )
    return "holds", f"{of.text([pad])!r} ({pad})"


def _clock(of: Subject) -> tuple[Verdict, str]:
    source = of.tokenizer.get_chat_template()
    if "strftime_now(" not in source:
        return "holds", "the template reads no clock"
    if "strftime_now(" in template_source.pinned(source):
        return "broken", "the template reads the clock in a way that cannot be pinned to a day"
    return "noted", (
        f"the template prints today's date; here it always prints {template_source.DATE}, and "
        "checkpoints of this build carry that"
    )


def _earlier_turns(of: Subject) -> tuple[Verdict, str]:
    first = [{"role": "user", "content": "One?"}, {"role": "assistant", "content": THOUGHT}]
    early = of.template.encode(first)
    late = of.template.encode([*first, {"role": "user", "content": "Two?"}])
    if late[: len(early)] != early:
        return "noted", (
            "an earlier answer is written otherwise once another turn follows (thoughts are left "
            "out, say); each response is trained on in the context it was sampled in"
        )
    return "holds", "a turn stays as it was when others follow"


def _system(of: Subject) -> tuple[Verdict, str]:
    told = [{"role": "system", "content": "Be brief."}, *_dialogue(1)]
    try:
        ids = of.template.encode(told)
    except UserError as error:
        return "noted", f"refused: {error}"
    if "Be brief." not in of.text(ids):
        return "broken", "the template drops a system message without a word"
    folded = of.template.encode([_folded(told), *told[2:]]) == ids
    return "holds", "folded into the first user turn" if folded else "has a turn of its own"


def _folded(told: Messages) -> dict[str, str]:
    text = f"{told[0]['content']}\n\n{told[1]['content']}"
    return {"role": "user", "content": text}


def _same_end(of: Subject) -> tuple[Verdict, str]:
    """Samplers, `vllm serve` and lm-eval stop at these; some readers know the tokenizer's alone."""
    end, eos = of.template.end_id, of.tokenizer.eos_token
    if end not in of.declared_ends:
        named = ", ".join(repr(of.text([one])) for one in of.declared_ends) or "no end"
        return "broken", (
            f"a turn ends with {of.text([end])!r}, but generation_config.json names {named}"
        )
    if of.tokenizer.eos_token_id != end:
        return "noted", (
            f"a turn ends with {of.text([end])!r}, as generation_config.json says; the tokenizer's "
            f"own eos_token is {eos!r}"
        )
    return "holds", ", ".join(of.text([one]) for one in of.declared_ends)


def _dialogue(turns: int) -> list[dict[str, str]]:
    asked = [{"role": "user", "content": "Name a bird."}, {"role": "assistant", "content": "Wren"}]
    return asked * turns


PROMISES: dict[str, Callable[[Subject], tuple[Verdict, str]]] = {
    "one BOS at most": _one_bos,
    "one end of turn, a special token": _one_end,
    "prompt + completion = conversation": _whole,
    "answers hold no control token": _no_control,
    "text survives encoding": _round_trip,
    "padding is no end of turn": _pad,
    "nothing depends on the clock": _clock,
    "earlier turns stay as they were": _earlier_turns,
    "system messages": _system,
    "all stop at the same token": _same_end,
}
