"""Embeddings of prompts by a real sentence-transformers model, made here, and the pool's map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from curation.core import ids, messages
from curation.core.errors import UserError
from curation.core.schema import BENCHMARK, PROMPT_SOURCE
from pipelines.core.params.model_uri import Wheel, parse
from pipelines.shared import model_files, model_pins
from pipelines.stages import prompts
from tests.pipelines.shared.package_index import MINILM, real
from training.core.origin import Origin
from training.engines.embeddings import embed

TEXTS = [f"{verb} the {noun} {n}" for verb in ("Call", "Feed") for noun in ("cow", "owl")
         for n in range(6)]  # fmt: skip


@pytest.fixture(scope="module")
def encoder(base: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tiny base model with mean pooling, saved as a sentence-transformers model."""
    library = pytest.importorskip(
        "sentence_transformers", reason="the embeddings extra is not here"
    )
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling

    words = Transformer(str(base))
    pooling = Pooling(words.get_embedding_dimension())
    path = tmp_path_factory.mktemp("encoder") / "model"
    library.SentenceTransformer(modules=[words, pooling], device="cpu").save(str(path))
    return str(path)


def test_vectors_have_length_one_and_do_not_depend_on_the_batch(encoder: str) -> None:
    made = embed(TEXTS, Origin(encoder, encoder))
    assert made.shape == (len(TEXTS), 64)
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1.0, rtol=1e-5)
    alone = np.concatenate([embed([text], Origin(encoder, encoder)) for text in TEXTS[:3]])
    np.testing.assert_allclose(made[:3], alone, atol=1e-5)


def test_a_model_that_is_not_there_is_one_line() -> None:
    with pytest.raises(UserError, match=r"^prompts.map_model: no/such/folder: [^\n]+$"):
        embed(TEXTS, Origin("no/such/folder", "no/such/folder"))


def test_the_pool_is_mapped_by_the_named_model(encoder: str, tmp_path: Path) -> None:
    asked = pl.DataFrame({"text": TEXTS}).select(messages.user(pl.col("text")).alias("messages"))
    table = asked.select(
        ids.prompt_id(pl.col("messages")).alias("prompt_id"),
        pl.lit("dibt").alias("source"),
        pl.int_range(pl.len()).cast(pl.String).alias("source_row"),
        "messages",
        pl.lit(10, dtype=pl.Int64).alias("n_chars"),
        pl.lit(4, dtype=pl.Int64).alias("n_tokens"),
        pl.lit("MIT").alias("license"),
    ).sort("prompt_id")
    for name in ("dibt", "ultrafeedback_prompts"):
        (tmp_path / f"prompts/{name}").mkdir(parents=True)
        part = table.select(PROMPT_SOURCE.names).with_columns(pl.lit(name).alias("source"))
        part.write_parquet(tmp_path / f"prompts/{name}/table.parquet")
    (tmp_path / "benchmark/animal_bench").mkdir(parents=True)
    BENCHMARK.empty().write_parquet(tmp_path / "benchmark/animal_bench/table.parquet")
    maps = {}
    for model in (None, encoder):
        whole = yaml.safe_load(Path("recipes/sample.yaml").read_text())
        whole["prompts"]["map_model"] = model
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(whole))
        out = {name: str(tmp_path / f"{name}.out") for name in ("table", "rejects", "metrics")}
        told = [word for name, path in out.items() for word in (f"--{name}", path)]
        read = ["--sources", str(tmp_path / "prompts")]
        read += ["--benchmarks", str(tmp_path / "benchmark")]
        assert prompts.main([*read, *told, "--params", str(tmp_path / "params.yaml")]) == 0
        maps[model] = pl.read_parquet(out["table"])
    plain, embedded = maps.values()
    assert plain["prompt_id"].equals(embedded["prompt_id"])
    assert not plain["map_x"].equals(embedded["map_x"])
    assert embedded.select(pl.col("map_x", "map_y").is_finite().all()).row(0) == (True, True)


@pytest.mark.slow
def test_a_real_sentence_model_out_of_a_wheel_puts_like_by_like() -> None:
    """all-MiniLM in a zip inside its wheel; its vectors are the means of plain transformers."""
    pytest.importorskip("sentence_transformers", reason="the embeddings extra is not here")
    asked = parse(MINILM)
    assert isinstance(asked, Wheel)
    real(asked, model_pins.sha(asked, "prompts.map_model"))
    texts = ["What does a cow eat?", "Which food do cattle like?", "Write a sorting function."]
    with model_files.located(MINILM, None, "prompts.map_model") as origin:
        made = embed(texts, origin)
        import torch
        from transformers import AutoModel, AutoTokenizer

        tokens = AutoTokenizer.from_pretrained(origin.place)(
            texts, padding=True, return_tensors="pt"
        )
        with torch.no_grad():
            states = AutoModel.from_pretrained(origin.place)(**tokens).last_hidden_state
    kept = tokens["attention_mask"].unsqueeze(-1)
    means = torch.nn.functional.normalize((states * kept).sum(1) / kept.sum(1))
    assert made.shape == (3, 384)
    np.testing.assert_allclose(made, means.numpy(), atol=1e-5)
    assert made[0] @ made[1] > 2 * made[0] @ made[2]
