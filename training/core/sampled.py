"""Token ids of responses: as they were sampled where they were, encoded where they are text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from training.core.chat_template import ChatTemplate, Messages


@dataclass(frozen=True)
class Sampled:
    """What is known of how a response came to be.

    Attributes:
        token_ids: what was sampled, with its end token unless it was cut; None for a text.
        template_sha: hash of the tokenizer and template whose ids they are.
        cut: whether it was cut at a limit; then it has no end token and gets none.
    """

    token_ids: Sequence[int] | None = None
    template_sha: str | None = None
    cut: bool = False


TEXT = Sampled()  # imported, offline, or edited by a person


def token_ids(
    template: ChatTemplate,
    prompts: Sequence[Messages],
    texts: Sequence[str],
    sampled: Sequence[Sampled],
) -> list[list[int]]:
    """Token ids of responses to prompts, for a model that reads through this template.

    Ids that this very tokenizer and template sampled are taken as they are; another one's, and
    texts, are encoded.
    """
    own = [bool(one.token_ids) and one.template_sha == template.sha for one in sampled]
    told = [place for place, mine in enumerate(own) if not mine]
    encoded = iter(
        template.completions(
            [texts[place] for place in told],
            [prompts[place] for place in told],
            [sampled[place].cut for place in told],
        )
    )
    return [
        list(one.token_ids or ()) if mine else next(encoded)
        for one, mine in zip(sampled, own, strict=True)
    ]
