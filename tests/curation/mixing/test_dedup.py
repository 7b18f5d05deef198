"""Near-duplicates: planted copies are found, different texts are not, order does not matter."""

from __future__ import annotations

import random

import polars as pl

from curation.mixing import shingles
from curation.mixing.dedup import near_clusters

WORDS = [f"word{n}" for n in range(5000)]


def corpus(size: int, copies: int, seed: int) -> tuple[pl.DataFrame, list[tuple[str, str]]]:
    """Random texts, the last `copies` of them edited copies, and the pairs at Jaccard >= 0.75."""
    rng = random.Random(seed)
    texts = [rng.choices(WORDS, k=rng.randrange(15, 80)) for _ in range(size)]
    close = []
    for place in range(copies):
        made = list(texts[place])
        for _ in range(1 + len(made) // 40):
            made[rng.randrange(len(made))] = rng.choice(WORDS)
        if jaccard(texts[place], made) >= 0.75:
            close.append((f"{place:06d}", f"{len(texts):06d}"))
        texts.append(made)
    names = [f"{place:06d}" for place in range(len(texts))]
    return pl.DataFrame({"prompt_id": names, "text": [" ".join(t) for t in texts]}), close


def jaccard(a: list[str], b: list[str]) -> float:
    left, right = ({tuple(t[i : i + 3]) for i in range(len(t) - 2)} for t in (a, b))
    return len(left & right) / len(left | right)


def test_planted_copies_are_found_at_97_percent_and_nothing_else_is() -> None:
    texts, close = corpus(3000, 600, seed=5)
    found = dict(near_clusters(texts).iter_rows())
    hits = sum(a in found and found.get(b) == found[a] for a, b in close)
    assert len(close) > 200
    assert hits / len(close) >= 0.97
    clusters = len(set(found.values()))
    assert hits / (len(found) - clusters) >= 0.95


def test_row_order_does_not_matter() -> None:
    texts, _ = corpus(500, 100, seed=6)
    shuffled = texts.sample(fraction=1.0, shuffle=True, seed=1)
    assert near_clusters(texts).sort("prompt_id").equals(near_clusters(shuffled).sort("prompt_id"))


def test_short_texts_are_compared_whole() -> None:
    texts = pl.DataFrame({"prompt_id": ["a", "b", "c", "d"], "text": ["Hi!", "hi", "ho", ""]})
    assert dict(near_clusters(texts).iter_rows()) == {"a": "a", "b": "a"}


def test_chains_become_one_cluster_named_by_its_lowest_id() -> None:
    words = WORDS[:60]
    texts = [words, [*words[:-1], "x"], ["y", *words[1:-1], "x"]]
    frame = pl.DataFrame({"prompt_id": ["c", "a", "b"], "text": [" ".join(t) for t in texts]})
    assert dict(near_clusters(frame).iter_rows()) == {"a": "a", "b": "a", "c": "a"}


def test_normalised_text_keeps_every_script_and_composes_forms() -> None:
    frame = pl.DataFrame(
        {"t": ["\uff26ull e\u0301a,  \u00dcn\u00ef", "\u4e2d\u6587, \u5b57!", "ABC  d_e", None]}
    )
    done = shingles.normalised(frame["t"]).to_list()
    assert done == ["full \u00e9a \u00fcn\u00ef", "\u4e2d \u6587 \u5b57", "abc d e", None]


def test_run_hashes_tell_runs_apart_for_every_length() -> None:
    texts = pl.Series(["a b c d e f g h i j k l m n", "b c d e f g h i j k l m n a"])
    for n in range(1, 15):
        found = shingles.hashes(texts, n)
        expected = {tuple(t.split()[i : i + n]) for t in texts for i in range(14 - n + 1)}
        assert found.height == 2 * (14 - n + 1)
        assert found["gram"].n_unique() == len(expected)
