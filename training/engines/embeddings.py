"""Embeddings of texts by a sentence-transformers model: of the hub, or of a folder."""

from __future__ import annotations

from typing import Any

from curation.core.errors import UserError
from training.core import environment

BATCH = 64


def embed(texts: list[str], model: str, revision: str | None) -> Any:
    """One unit vector per text, a float32 array (texts, dimensions), in the order given.

    Args:
        model: hf://OWNER/NAME, OWNER/NAME or a folder.

    Raises:
        UserError: sentence-transformers is not installed, or the model cannot be loaded.
    """
    environment.prepare(offline=False)  # the only model of a table stage may come from the hub
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise UserError(
            "prompts.map_model: needs sentence-transformers; pip install 'prefloop[embeddings]'"
        ) from error
    try:
        encoder = SentenceTransformer(
            model.removeprefix("hf://"), revision=revision, device=environment.device()
        )
    except Exception as error:  # the hub's client and the loaders raise many kinds
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(f"prompts.map_model: {model}: {said[0]}") from error
    return encoder.encode(
        texts, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False
    )
