"""Embeddings of texts by a sentence-transformers model: of the hub, or of a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from training.core import environment
from training.core.origin import Origin

BATCH = 64


def embed(texts: list[str], origin: Origin) -> Any:
    """One unit vector per text, a float32 array (texts, dimensions), in the order given.

    Raises:
        UserError: sentence-transformers is not installed, or the model cannot be loaded.
    """
    # the only model of a table stage; it may come from the hub
    environment.prepare(offline=Path(origin.place).exists())
    if origin.gguf is not None:
        raise UserError(f"prompts.map_model: {origin.uri}: a GGUF file holds no sentence model")
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise UserError(
            "prompts.map_model: needs sentence-transformers; pip install 'prefloop[embeddings]'"
        ) from error
    try:
        encoder = SentenceTransformer(
            origin.place, revision=origin.revision, device=environment.device()
        )
    except Exception as error:  # the hub's client and the loaders raise many kinds
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(f"prompts.map_model: {origin.uri}: {said[0]}") from error
    return encoder.encode(
        texts, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False
    )
