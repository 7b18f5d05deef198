"""Write the sample world's files; the same parameters give the same bytes.

Run: python -m data.sample.generate --out data/sample
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from data.sample import natives_chat, natives_pairs, natives_prompts, natives_rated
from data.sample.maker import Maker, Row, WorldConfig

WRITERS: dict[str, Callable[[Maker], list[Row]]] = {
    "animal_bench.jsonl": natives_prompts.animal_bench,
    "hh_rlhf.jsonl.zst": natives_pairs.hh_rlhf,
    "shp.parquet": natives_pairs.shp,
    "helpsteer.jsonl.zst": natives_rated.helpsteer,
    "pku_saferlhf.parquet": natives_pairs.pku_saferlhf,
    "ultrafeedback.parquet": natives_rated.ultrafeedback,
    "ultrainteract.parquet": natives_chat.ultrainteract,
    "capybara.parquet": natives_chat.capybara,
    "orca.parquet": natives_chat.orca,
    "summarize.jsonl.zst": natives_pairs.summarize,
    "nectar.parquet": natives_rated.nectar,
    "sharegpt.jsonl.zst": natives_prompts.sharegpt,
    "gpteacher.jsonl.zst": natives_prompts.gpteacher,
    "ultrafeedback_prompts.parquet": natives_prompts.ultrafeedback_prompts,
    "dibt_10k.parquet": natives_prompts.dibt_10k,
}


def encode_jsonl(rows: list[Row]) -> bytes:
    """The rows as JSON lines in UTF-8."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def encode_parquet(rows: list[Row]) -> bytes:
    """The rows as one Parquet row group, zstd."""
    sink = pa.BufferOutputStream()
    table = pa.Table.from_pylist(rows)
    pq.write_table(table, sink, compression="zstd", compression_level=19)
    return bytes(sink.getvalue().to_pybytes())


def encode(name: str, rows: list[Row]) -> bytes:
    """A file's bytes, in the format that its name ends with.

    Raises:
        ValueError: the name ends with none of .jsonl, .jsonl.zst, .parquet.
    """
    if name.endswith(".jsonl"):
        return encode_jsonl(rows)
    if name.endswith(".jsonl.zst"):
        return zstandard.ZstdCompressor(level=19).compress(encode_jsonl(rows))
    if name.endswith(".parquet"):
        return encode_parquet(rows)
    raise ValueError(f"no writer for {name}")


def build(config: WorldConfig) -> dict[str, bytes]:
    """Every file of the world: name -> bytes, `defects.json` among them."""
    maker = Maker(config)
    tables = {name: write(maker) for name, write in WRITERS.items()}
    files = {name: encode(name, rows) for name, rows in tables.items()}
    defects = {
        "config": asdict(config),
        "rows": {name.split(".")[0]: len(rows) for name, rows in tables.items()},
        "plan": maker.plan,
        "planted_rows": maker.planted_rows,
    }
    files["defects.json"] = (json.dumps(defects, indent=1, sort_keys=True) + "\n").encode()
    return files


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    default = WorldConfig()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("data/sample"))
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--size", type=float, default=default.size)
    parser.add_argument("--label-noise", type=float, default=default.label_noise)
    parser.add_argument("--length-bias", type=float, default=default.length_bias)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Write the files under --out."""
    args = parse_args(arguments)
    config = WorldConfig(args.seed, args.size, args.label_noise, args.length_bias)
    args.out.mkdir(parents=True, exist_ok=True)
    for name, content in build(config).items():
        (args.out / name).write_bytes(content)
        print(f"{name}: {len(content):,} bytes")


if __name__ == "__main__":
    main()
