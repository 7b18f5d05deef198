"""fetch -> standardize -> mix, sft_mix, prompts on the shipped sample and on real rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from curation.audit import paper
from curation.core import schema
from pipelines.commands import statistics
from pipelines.shared.recipes import whole
from pipelines.stages import fetch, mix, prompts, sft_mix, standardize

SHARED = Path("../shared/data")
DEFECTS = Path("data/sample/defects.json")
# counts on real rows: source of recipes/real-small.yaml -> rule -> items
REAL = {
    "hh_rlhf": {"unequal_prompts": 5, "empty_response": 4, "odd_turns": 4},
    "ultrafeedback": {
        **{"tie": 111, "empty_response": 2, "identical_responses": 3},
        "control_tokens": 4,  # </s> behind the answer of a model that ran on
    },
    "sharegpt_pairs": {"duplicate": 5},
    "gpteacher_codegen": {},
    "gpteacher_roleplay": {},
}


def small_tokenizer(path: Path, texts: Iterator[str]) -> Path:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.save(str(path))
    return path


def source_args(root: Path, kind: str, name: str, params: Path) -> tuple[list[str], list[str]]:
    folder = root / "sources" / kind / name
    native = str(folder / "native.parquet")
    common = ["--source", name, "--native", native, "--params", str(params)]
    read = ["--rejects", str(folder / "fetch_rejects.parquet")]
    read += ["--manifest", str(folder / "fetch.json")]
    made = ["--table", str(folder / "table.parquet"), "--rejects", str(folder / "rejects.parquet")]
    return [*common, *read], [*common, *made, "--metrics", str(folder / "metrics.json")]


def run_sources(root: Path, params: Path, tokenizer: Path | None, skip: set[str]) -> dict[str, Any]:
    """Fetch and standardise every source; the metrics by source."""
    found = {}
    for name, source in yaml.safe_load(params.read_text())["sources"].items():
        if name in skip:
            continue
        read, made = source_args(root, source["kind"], name, params)
        assert fetch.main(read) == 0
        more = [] if tokenizer is None else ["--tokenizer", str(tokenizer)]
        assert standardize.main([*made, *more]) == 0
        metrics = root / "sources" / source["kind"] / name / "metrics.json"
        found[name] = json.loads(metrics.read_text())
    return found


def mix_args(root: Path, kind: str, out: str, params: Path) -> list[str]:
    folder = root / out
    return [
        *("--sources", str(root / "sources" / kind)),
        *("--benchmarks", str(root / "sources" / "benchmark")),
        *(() if kind == "prompts" else ("--prompts", str(root / "prompts/table.parquet"))),
        *("--table", str(folder / "table.parquet"), "--rejects", str(folder / "rejects.parquet")),
        *("--metrics", str(folder / "metrics.json"), "--params", str(params)),
    ]


def rules_of(root: Path, out: str) -> dict[str, dict[str, int]]:
    """Rejects of a stage by source and rule."""
    counts = pl.read_parquet(root / out / "rejects.parquet").group_by("source", "rule").len()
    found: dict[str, dict[str, int]] = {}
    for source, rule, size in counts.iter_rows():
        found.setdefault(source, {})[rule] = size
    return found


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    root = tmp_path_factory.mktemp("sample")
    params = Path("recipes/sample.yaml")
    texts = pl.read_parquet("data/sample/ultrafeedback_prompts.parquet")["instruction"].to_list()
    tokenizer = small_tokenizer(root / "tokenizer.json", iter(texts))
    metrics = run_sources(root, params, tokenizer, set())
    assert prompts.main(mix_args(root, "prompts", "prompts", params)) == 0
    return root, metrics


def plan(name: str) -> dict[str, int]:
    planted: dict[str, dict[str, int]] = json.loads(DEFECTS.read_text())["plan"]
    return planted.get({"dibt": "dibt_10k"}.get(name, name), {})


def test_the_ledger_of_each_sample_set_is_the_plan_of_its_defects(
    sample: tuple[Path, dict[str, Any]],
) -> None:
    later = {"benchmark"}  # decontamination is the mixes' and the pool's
    kinds = yaml.safe_load(Path("recipes/sample.yaml").read_text())["sources"]
    for name, metrics in sample[1].items():
        pool = {"over_long_prompt"} if kinds[name]["kind"] == "prompts" else set()
        wanted = {rule: n for rule, n in plan(name).items() if rule not in later | pool}
        assert metrics["rules"] == wanted, name
        assert metrics["rows_in"] == metrics["kept"] + metrics["rejected"]


@pytest.mark.parametrize("name", ["mix1", "mix2"])
def test_the_sample_mixes_drop_the_planted_benchmark_items_only(
    sample: tuple[Path, dict[str, Any]], name: str
) -> None:
    root = sample[0]
    args = mix_args(root, "preference", f"mixes/{name}", Path("recipes/sample.yaml"))
    assert mix.main(["--mix", name, *args]) == 0
    members = yaml.safe_load(Path("recipes/sample.yaml").read_text())["mixes"][name]["members"]
    wanted = {m: {"benchmark": plan(m)["benchmark"]} for m in members if "benchmark" in plan(m)}
    assert rules_of(root, f"mixes/{name}") == wanted
    table = pl.read_parquet(root / f"mixes/{name}/table.parquet")
    assert table["pair_id"].is_sorted()
    splits = table.group_by("prompt_id").agg(pl.col("split").n_unique())
    assert splits["split"].max() == 1
    assert 0.05 < (table["split"] == "eval").mean() < 0.15


def test_statistics_stand_beside_the_papers_own_rows(
    sample: tuple[Path, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    root, metrics = sample
    args = mix_args(root, "preference", "mixes/mix1", Path("recipes/sample.yaml"))
    assert mix.main(["--mix", "mix1", *args]) == 0
    capsys.readouterr()
    assert statistics.main(["--data", str(root)]) == 0
    figures, drops = (part.splitlines()[2:] for part in capsys.readouterr().out.split("\n\n"))
    cells = [line.split() for line in figures]
    for name in ("hh_rlhf", "shp", "orca", "capybara", "pku_saferlhf"):
        place = next(n for n, row in enumerate(cells) if row[:2] == ["source", name])
        assert cells[place][2:4] == [str(metrics[name]["figures"][k]) for k in ("prompts", "pairs")]
        assert figures[place + 1].split()[0] == "paper"
        assert paper.MIXES[name].label in figures[place + 1]
        assert str(paper.MIXES[name].pairs) in figures[place + 1]
    assert sum(row[:2] == ["mix", "mix1"] for row in cells) == 5
    assert paper.row_of("any", "ultrafeedback_binarized") == paper.MIXES["ultrafeedback"]
    assert paper.row_of("nectar", "nectar") is None
    told = next(line for line in drops if line.split()[1] == "pku_saferlhf")
    wanted = metrics["pku_saferlhf"]["rules"]["label_contradicted"]
    assert f"label_contradicted {wanted} (" in told


def test_statistics_of_nothing_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert statistics.main(["--data", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_sample_sft_mix_drops_the_planted_benchmark_items_only(
    sample: tuple[Path, dict[str, Any]],
) -> None:
    assert sft_mix.main(mix_args(sample[0], "sft", "sft_mix", Path("recipes/sample.yaml"))) == 0
    wanted = {"sharegpt": {"benchmark": 6}, "gpteacher": {"benchmark": 6}}
    assert rules_of(sample[0], "sft_mix") == wanted


def test_the_sample_pool_drops_long_and_benchmark_prompts_and_repeats_its_bytes(
    sample: tuple[Path, dict[str, Any]],
) -> None:
    args = mix_args(sample[0], "prompts", "prompts", Path("recipes/sample.yaml"))
    assert prompts.main(args) == 0
    assert rules_of(sample[0], "prompts") == {
        "ultrafeedback_prompts": {"benchmark": 12, "over_long_prompt": 8},
        "dibt": {"benchmark": 12, "over_long_prompt": 8},
    }
    table = sample[0] / "prompts/table.parquet"
    before = table.read_bytes()
    assert prompts.main(args) == 0
    assert table.read_bytes() == before
    pool = pl.read_parquet(table)
    low, high = yaml.safe_load(Path("recipes/sample.yaml").read_text())["prompts"]["eval_range"]
    held = pool.filter(pl.col("split") == "eval")["bucket"]
    assert held.is_between(low, high, closed="left").all()
    assert pool["cluster"].min() == 0


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real rows of ../shared/data are not here")
def test_real_rows_give_exactly_the_known_drops(tmp_path: Path) -> None:
    params = Path("recipes/real-small.yaml")
    text = yaml.safe_load(whole(params))
    for source in text["sources"].values():  # token limits depend on the tokenizer: another test's
        source["filters"] = [f for f in source.get("filters", []) if isinstance(f, str)]
    plain = tmp_path / "params.yaml"
    plain.write_text(yaml.safe_dump(text))
    found = run_sources(tmp_path, plain, None, set())
    assert {name: found[name]["rules"] for name in REAL} == REAL
    assert found["hh_rlhf"]["native_rows"] == 2312
    benchmarks = ("gsm8k", "humaneval", "truthfulqa", "mt_bench", "arena_hard")
    assert [found[name]["kept"] for name in benchmarks] == [1319, 164, 817, 160, 500]
    pool = tmp_path / "prompts/table.parquet"  # what it holds out is another test's
    pool.parent.mkdir()
    schema.PROMPTS.empty().write_parquet(pool)
    args = mix_args(tmp_path, "preference", "mixes/mix1", plain)
    assert mix.main(["--mix", "mix1", *args]) == 0
    sft = mix_args(tmp_path, "sft", "sft_mix", plain)
    assert sft_mix.main(sft) == 0
    assert rules_of(tmp_path, "sft_mix")["gpteacher_codegen"]["benchmark"] >= 1
