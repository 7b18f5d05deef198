"""Near-duplicate removal and decontamination: rows a second, recall and precision on planted rows.

Run: python -m benchmarks.dedup --rows 20000 100000 --repeats 3 [--out benchmarks/results/dedup.md]

Texts are generated: words of a Zipf distribution, punctuation, capitals, 100 words on average (the
paper's sets have 160 tokens). One prompt in 20 is an edited copy of another, one in 50 holds a
run of 13 to 40 words of a benchmark item with its marks and capitals changed. A row is a prompt;
imports are not counted.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from curation.mixing import decontaminate, dedup

VOCABULARY, MEAN_WORDS, ITEMS = 20_000, 100, 5_000
COPIES, CONTAMINATED = 20, 50
SEED = 11
Words = list[str]


@dataclass(frozen=True)
class Corpus:
    """Prompts with what was planted: close pairs (J >= 0.75) and contaminated prompts."""

    prompts: pl.DataFrame
    close: list[tuple[str, str]]
    items: pl.DataFrame
    contaminated: set[str]


def words_of(rng: np.random.Generator, size: int) -> Words:
    """Words by a Zipf law, as in real text."""
    return [f"w{n}" for n in np.minimum(rng.zipf(1.3, size), VOCABULARY)]


def written(words: Words, every: int) -> str:
    """The words as sentences: a capital and a full stop every so many words, commas between."""
    marked = [
        f"{word.capitalize()},"
        if place % every == 0
        else f"{word}. " * (place % every == every - 1) or word
        for place, word in enumerate(words)
    ]
    return " ".join(marked)


def edited(rng: np.random.Generator, words: Words) -> Words:
    """A copy with one to eight percent of its words replaced."""
    made = list(words)
    for _ in range(max(1, int(len(made) * rng.uniform(0.01, 0.08)))):
        made[int(rng.integers(len(made)))] = f"x{rng.integers(VOCABULARY)}"
    return made


def similarity(a: Words, b: Words) -> float:
    """Jaccard similarity of the sets of word 3-grams."""
    left, right = ({tuple(t[i : i + 3]) for i in range(len(t) - 2)} for t in (a, b))
    return len(left & right) / len(left | right)


def corpus(rows: int) -> Corpus:
    """Generated prompts and benchmark items."""
    rng = np.random.default_rng(SEED)
    items = [words_of(rng, int(rng.integers(15, 80))) for _ in range(ITEMS)]
    texts: list[Words] = []
    close = []
    for place in range(rows):
        if place % COPIES == COPIES - 1:
            origin = int(rng.integers(len(texts)))
            texts.append(edited(rng, texts[origin]))
            if similarity(texts[origin], texts[-1]) >= dedup.THRESHOLD:
                close.append((f"{origin:08d}", f"{place:08d}"))
        else:
            words = words_of(rng, int(rng.gamma(2.0, MEAN_WORDS / 2) + 5))
            texts.append(planted(rng, words, items) if place % CONTAMINATED == 0 else words)
    names = [f"{place:08d}" for place in range(rows)]
    spelled = [written(words, 9) for words in texts]
    bench = {
        "item_id": [f"i{place}" for place in range(ITEMS)],
        "benchmark": ["bench"] * ITEMS,
        "text": [written(item, 13) for item in items],
    }
    frame = pl.DataFrame({"prompt_id": names, "text": spelled})
    return Corpus(frame, close, pl.DataFrame(bench), holding(texts, items))


def planted(rng: np.random.Generator, words: Words, items: list[Words]) -> Words:
    """The words with a run of a benchmark item somewhere among them."""
    item = items[int(rng.integers(len(items)))]
    start = int(rng.integers(len(item) - 13 + 1))
    at = int(rng.integers(len(words) + 1))
    return words[:at] + item[start : start + int(rng.integers(13, 41))] + words[at:]


def holding(texts: list[Words], items: list[Words]) -> set[str]:
    """Names of the texts that share 13 words with an item, found the slow and certain way."""
    grams = {tuple(item[i : i + 13]) for item in items for i in range(len(item) - 12)}
    return {
        f"{place:08d}"
        for place, text in enumerate(texts)
        if any(tuple(text[i : i + 13]) in grams for i in range(len(text) - 12))
    }


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds by the clock, seconds of processor time, result."""
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    made = work()
    seconds, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_SELF)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, spent, made


def near(given: Corpus) -> tuple[Callable[[], Any], Callable[[Any], tuple[float, float]]]:
    """The near-duplicate work, and (recall, precision) of what goes."""

    def judge(found: pl.DataFrame) -> tuple[float, float]:
        near = dict(found.select("prompt_id", "near").iter_rows())
        hits = sum(a in near or b in near for a, b in given.close)
        texts = dict(given.prompts.iter_rows())
        right = sum(_close(texts[name], texts[other]) for name, other in near.items())
        return hits / len(given.close), right / len(near)

    return lambda: dedup.near_duplicates(given.prompts), judge


def _close(one: str, other: str) -> bool:
    """Whether two texts are near."""
    words = [re.findall(r"\w+", text.lower()) for text in (one, other)]
    return similarity(*words) >= dedup.THRESHOLD


def clean(given: Corpus) -> tuple[Callable[[], Any], Callable[[Any], tuple[float, float]]]:
    """The decontamination work, and (recall, precision) of its hits."""
    message = pl.struct(pl.lit("user").alias("role"), pl.col("text").alias("content"))
    prompts = given.prompts.select("prompt_id", pl.concat_list(message).alias("prompt"))

    def judge(found: pl.DataFrame) -> tuple[float, float]:
        names = set(found["prompt_id"])
        return (
            len(names & given.contaminated) / len(given.contaminated),
            len(names & given.contaminated) / len(names),
        )

    return lambda: decontaminate.hits([prompts], given.items, decontaminate.Settings()), judge


def lines(rows: int, repeats: int) -> list[str]:
    """One line of the table per piece of work."""
    given, made = corpus(rows), []
    for name, (work, judge) in (("near-duplicates", near(given)), ("13-grams", clean(given))):
        runs = [timed(work) for _ in range(repeats)]
        wall = statistics.median(run[0] for run in runs)
        spent = statistics.median(run[1] for run in runs)
        recall, precision = judge(runs[0][2])
        made.append(
            f"| {name} | {rows:,} | {wall:.2f} | {spent:.2f} | {rows / wall:,.0f} | "
            f"{rows / spent:,.0f} | {recall:.4f} | {precision:.4f} |"
        )
    return made


HEAD = """\
| work | rows | seconds | processor s | rows / s | rows / processor s | recall | precision |
|---|---|---|---|---|---|---|---|"""
ABOUT = """\
# Near-duplicate removal and decontamination

`python -m benchmarks.dedup`, medians of {repeats}, {cores} cores. Texts of {words} words on
average; {items:,} benchmark items. Recall: planted pairs of Jaccard similarity >= {threshold}, and
texts that share a run of 13 words with an item. Precision: dropped rows that are near the row that
stays in their place, and hits that do share such a run.

"""


def main() -> None:
    """Parse, measure, print the table and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    table = [HEAD]
    print(HEAD)
    for rows in args.rows:
        for line in lines(rows, args.repeats):
            print(line, flush=True)
            table.append(line)
    if args.out:
        about = ABOUT.format(
            repeats=args.repeats,
            cores=os.cpu_count(),
            words=MEAN_WORDS,
            items=ITEMS,
            threshold=dedup.THRESHOLD,
        )
        args.out.write_text(about + "\n".join(table) + "\n", "utf-8")


if __name__ == "__main__":
    main()
