"""Near-duplicates: planted copies are found, different texts are not, order does not matter."""

from __future__ import annotations

import random

import polars as pl
import pytest

from curation.mixing import shingles
from curation.mixing.dedup import near_duplicates, staying
from curation.mixing.sketches import PERMUTATIONS, rows_a_band

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


def near(texts: pl.DataFrame, threshold: float = 0.75) -> dict[str, str]:
    """Each text that goes, and the one that stays near it."""
    return dict(near_duplicates(texts, threshold).select("prompt_id", "near").iter_rows())


def test_planted_copies_are_found_at_97_percent_and_nothing_else_is() -> None:
    texts, close = corpus(3000, 600, seed=5)
    found = near(texts)
    hits = sum(found.get(b) == a for a, b in close)
    assert len(close) > 200
    assert hits / len(close) >= 0.97
    assert hits / len(found) >= 0.95


@pytest.mark.parametrize("threshold", [0.5, 0.6, 0.75, 0.9])
def test_bands_miss_one_pair_in_a_hundred_at_most_at_any_threshold(threshold: float) -> None:
    size = rows_a_band(threshold)
    missed = {n: (1 - threshold**n) ** (PERMUTATIONS // n) for n in (size, size + 1)}
    assert missed[size] <= 0.01 < missed[size + 1]


def test_what_goes_is_near_what_stays_and_no_two_that_stay_are_near() -> None:
    rng = random.Random(3)
    preamble = rng.choices(WORDS, k=40)
    made = [[*preamble, *rng.choices(WORDS, k=rng.randrange(10, 30))] for _ in range(150)]
    for place in range(100):  # chains: each an edit of an earlier one
        edited = list(made[rng.randrange(len(made))])
        edited[rng.randrange(40, len(edited))] = WORDS[place]
        made.append(edited)
    frame = pl.DataFrame(
        {"prompt_id": [f"{n:03d}" for n in range(250)], "text": [" ".join(t) for t in made]}
    )
    for threshold in (0.5, 0.6, 0.75):
        found = near_duplicates(frame, threshold)
        gone = dict(found.select("prompt_id", "near").iter_rows())
        assert gone
        for name, other in gone.items():
            assert other not in gone
            assert jaccard(made[int(name)], made[int(other)]) >= threshold
        stay = [n for n in range(250) if f"{n:03d}" not in gone]
        close = [(a, b) for a in stay for b in stay if a < b]
        missed = sum(jaccard(made[a], made[b]) >= threshold for a, b in close)
        assert missed <= 0.01 * len(gone)


def test_the_first_of_near_texts_stays() -> None:
    texts, _ = corpus(500, 100, seed=6)
    turned = near(texts.reverse())
    assert turned
    assert all(int(name) < int(other) for name, other in turned.items())
    assert all(int(name) > int(other) for name, other in near(texts).items())


def test_short_texts_are_compared_whole() -> None:
    texts = pl.DataFrame({"prompt_id": ["a", "b", "c", "d"], "text": ["Hi!", "hi", "ho", ""]})
    assert near_duplicates(texts).rows() == [("b", "a", 1.0)]


def test_the_end_of_a_chain_stays_where_only_a_dropped_text_is_near_it() -> None:
    words = WORDS[:60]
    texts = [words, [*words[:-6], *WORDS[60:66]], [*WORDS[70:76], *words[6:-6], *WORDS[60:66]]]
    frame = pl.DataFrame({"prompt_id": ["c", "a", "b"], "text": [" ".join(t) for t in texts]})
    assert jaccard(texts[0], texts[1]) >= 0.75 <= jaccard(texts[1], texts[2])
    assert jaccard(texts[0], texts[2]) < 0.75
    assert near(frame) == {"a": "c"}


def test_links_are_followed_in_order() -> None:
    assert staying(5, [0, 1, 2, 3], [1, 2, 3, 4]).tolist() == [True, False, True, False, True]
    assert staying(3, [], []).tolist() == [True, True, True]


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
