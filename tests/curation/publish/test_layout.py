from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from curation.core import schema
from curation.core.errors import UserError
from curation.publish.layout import configs, shards
from tests.curation.audit.tiny import prompt, write, write_build


def _prompts(data: Path, train: int, held: int) -> None:
    rows = [prompt(n, "train") for n in range(train)]
    rows += [prompt(n, "eval") for n in range(train, train + held)]
    write(data / "prompts" / "prompts.parquet", schema.PROMPTS, rows)


def test_one_config_per_table_and_iteration(tmp_path: Path) -> None:
    data = write_build(tmp_path / "data")
    found = {one.name: one.splits for one in configs(data)}
    assert found == {
        "pairs_iter1": {"train": 1},
        "prompts": {"train": 2, "test": 2},
        "generations_iter1": {"train": 4},
        "scores_iter1": {"train": 4},
    }
    assert [one.name for one in configs(data, ["scores_iter1", "mixes"])] == [
        "scores_iter1",
        "mixes_mix1",
    ]


def test_a_table_of_one_split_is_its_own_file(tmp_path: Path) -> None:
    data = write_build(tmp_path / "data")
    (config,) = configs(data, ["pairs"])
    (shard,) = shards(config, tmp_path / "work")
    assert shard.file == data / "iterations/iter1/pairs.parquet"
    assert shard.target == "data/pairs_iter1/train-00000-of-00001.parquet"
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("limit", [1, 900, 10**9])
def test_splits_and_shards_hold_every_row_once_in_order(tmp_path: Path, limit: int) -> None:
    data = tmp_path / "data"
    _prompts(data, 23, 7)
    (config,) = configs(data, ["prompts"])
    made = shards(config, tmp_path / "work", limit)
    whole = pl.read_parquet(config.file)
    for ours, theirs, rows in (("train", "train", 23), ("eval", "test", 7)):
        mine = [one for one in made if one.split == theirs]
        read = pl.concat(pl.read_parquet(one.file) for one in mine)
        assert read.equals(whole.filter(pl.col("split") == ours))
        assert read.height == rows
        names = [one.target.rpartition("/")[2] for one in mine]
        assert names == [f"{theirs}-{n:05d}-of-{len(mine):05d}.parquet" for n in range(len(mine))]
        assert all(pl.read_parquet(one.file).height for one in mine)
    assert (len(made) > 2) == (limit < 10**9)


def test_shards_have_the_same_bytes_each_time(tmp_path: Path) -> None:
    data = tmp_path / "data"
    _prompts(data, 23, 7)
    (config,) = configs(data, ["prompts"])
    first = [one.file.read_bytes() for one in shards(config, tmp_path / "a", 900)]
    assert first == [one.file.read_bytes() for one in shards(config, tmp_path / "b", 900)]


def test_empty_tables_are_left_out_and_nothing_at_all_is_refused(tmp_path: Path) -> None:
    data = write_build(tmp_path / "data")
    write(data / "iterations/iter1/pairs.parquet", schema.PAIRS, [])
    assert [one.kind for one in configs(data, ["pairs", "scores"])] == ["scores"]
    with pytest.raises(UserError, match="no rows of pairs"):
        configs(data, ["pairs"])


def test_lists_are_lists_in_every_config(tmp_path: Path) -> None:
    from pyarrow import parquet

    data = write_build(tmp_path / "data")
    _prompts(data, 50, 7)
    found = {}
    for config in configs(data, ["pairs", "prompts", "mixes"]):
        for shard in shards(config, tmp_path / "work", limit=2_000):
            for field in parquet.read_schema(shard.file):
                if field.name in ("prompt", "messages", "chosen"):
                    found[config.name, field.name] = str(field.type)
    assert len(found) == 5
    wanted = "list<element: struct<role: string, content: string> not null>"
    assert {kind.replace(" not null", "") for kind in found.values()} == {
        wanted.replace(" not null", "")
    }


def test_shards_hold_every_row_once_in_order(tmp_path: Path) -> None:
    data = tmp_path / "data"
    _prompts(data, 50, 7)
    (config,) = configs(data, ["prompts"])
    made = shards(config, tmp_path / "work", limit=1_500)
    assert len(made) > 3
    ids = pl.concat([pl.read_parquet(one.file) for one in made if one.split == "train"])
    whole = pl.read_parquet(config.file).filter(pl.col("split") == "train")
    assert ids["prompt_id"].to_list() == whole["prompt_id"].to_list()
