"""Worlds, sources, mixes, prompts and the base model of one seed."""

from __future__ import annotations

from pathlib import Path

import yaml

from benchmarks.claims_bench import steps
from benchmarks.claims_bench.steps import DATA, PROMPTS, call
from data.sample import generate
from data.sample.maker import WorldConfig


def worlds() -> None:
    """The same questions and writers under annotators with several tastes for length."""
    given = steps.settings()
    for name, length_bias in given["worlds"].items():
        folder = DATA / "worlds" / name
        folder.mkdir(parents=True, exist_ok=True)
        config = WorldConfig(given["world_seed"], given["world_size"], length_bias=length_bias)
        for file, content in generate.build(config).items():
            (folder / file).write_bytes(content)


def build() -> None:
    """Native files to mixes, prompts and the base checkpoint, each through its own stage."""
    worlds()
    recipe = yaml.safe_load(Path("params.yaml").read_text("utf-8"))
    kinds = {name: source["kind"] for name, source in recipe["sources"].items()}
    for name, kind in kinds.items():
        folder = DATA / "sources" / kind / name
        call(
            "pipelines.stages.fetch",
            source=name,
            native=folder / "native.parquet",
            rejects=folder / "fetch_rejects.parquet",
            manifest=folder / "fetch.json",
        )
    corpus = DATA / "sources/sft" / recipe["base"]["corpus"] / "native.parquet"
    call("pipelines.stages.base", corpus=corpus, checkpoint=DATA / "checkpoints/base")
    for name, kind in kinds.items():
        folder = DATA / "sources" / kind / name
        call(
            "pipelines.stages.standardize",
            source=name,
            native=folder / "native.parquet",
            tokenizer=DATA / "checkpoints/base/tokenizer.json",
            table=folder / "table.parquet",
            rejects=folder / "rejects.parquet",
            metrics=folder / "metrics.json",
        )
    _mixes(list(recipe["mixes"]))


def _mixes(names: list[str]) -> None:
    """The pool first: what it holds out may be in no mix."""
    common = {"benchmarks": DATA / "sources/benchmark"}
    folder = DATA / "prompts"
    call(
        "pipelines.stages.prompts",
        sources=DATA / "sources/prompts",
        **common,
        **_outs(folder, "prompts"),
    )
    _gate("prompts", folder, "prompts", common)
    common["prompts"] = PROMPTS
    for name in names:
        folder = DATA / "mixes" / name
        sources = DATA / "sources/preference"
        call("pipelines.stages.mix", mix=name, sources=sources, **common, **_outs(folder, "mix"))
        _gate("mixes", folder, "mix", common)
    folder = DATA / "sft_mix"
    call(
        "pipelines.stages.sft_mix",
        sources=DATA / "sources/sft",
        **common,
        **_outs(folder, "sft_mix"),
    )
    _gate("sft_mix", folder, "sft_mix", common)


def _outs(folder: Path, name: str) -> dict[str, object]:
    return {
        "table": folder / f"{name}.parquet",
        "rejects": folder / "rejects.parquet",
        "metrics": folder / "metrics.json",
    }


def _gate(table: str, folder: Path, name: str, common: dict[str, Path]) -> None:
    """The SQL checks of the graph: no held-out or benchmark prompt in what is trained on."""
    from pipelines.stages import gate

    views = {
        "rejects": folder / "rejects.parquet",
        "metrics": folder / "metrics.json",
        **common,
    }
    argv = ["--table-name", table, "--table", str(folder / f"{name}.parquet")]
    for view, path in views.items():
        argv += ["--view", f"{view}={path}"]
    if code := gate.main([*argv, "--report", str(folder / "checks.json")]):
        raise SystemExit(code)
