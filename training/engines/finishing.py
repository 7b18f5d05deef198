"""Why a response ended, in every engine's words: stop, length, or a draw that failed."""

from __future__ import annotations

from collections.abc import Sequence

from training.core.vocabulary import Fault, Vocabulary
from training.engines.protocol import Response, Rules

STOPS = ("stop", "eos", "eos_token", "stop_sequence", "stop_token", "end_turn", "complete")
LENGTHS = ("length", "max_tokens", "model_length")


def response(
    ids: Sequence[int], told: str | None, vocabulary: Vocabulary, rules: Rules
) -> Response:
    """The response that an engine drew, or the draw that failed.

    Args:
        ids: what was drawn, the token that ended it included.
        told: the engine's own word for why it ended; None where it gave none.
    """
    tokens = [int(token) for token in ids]
    reason = reason_of(told)
    if reason is None:
        return failed(f"finish_reason {told!r}", tokens, told)
    fault = vocabulary.fault(tokens, reason == "stop", rules.stop)
    short = reason == "length" and len(tokens) < rules.max_new_tokens
    if fault is None and short:
        detail = f"cut at {len(tokens)} tokens, {rules.max_new_tokens} were asked for"
        fault = Fault("cut_early", detail)
    return Response(tokens, reason, fault)


def reason_of(told: str | None) -> str | None:
    """Stop or length, or None for what is neither: aborted, filtered, a tool call, nothing."""
    word = (told or "").lower()
    if word in STOPS:
        return "stop"
    return "length" if word in LENGTHS else None


def failed(detail: str, ids: Sequence[int] = (), told: str | None = None) -> Response:
    """A draw that the engine did not bring to an end."""
    return Response(list(ids), str(told), Fault("failed_draw", detail))
