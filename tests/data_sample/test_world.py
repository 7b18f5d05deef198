"""The sample world: the oracle's arithmetic, the generator's bytes, the planted defects."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from data.sample.generate import build
from data.sample.maker import Maker, WorldConfig, ranked_levels
from data.sample.world import (
    ANSWER_WORDS,
    ATTRIBUTES,
    BLANK,
    FILLERS,
    KNOWN_WORDS,
    PREAMBLES,
    REFUSALS,
    RUDE,
    SENTENCE_FORMS,
    SUBJECTS,
    TEMPLATES,
    Task,
    parse,
    reward,
    share_right,
    words,
)
from data.sample.writers import MIX_WRITERS, draw_task, draw_template, respond

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
PROMPT = "Give the sound of each: dog, cow, owl."


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ("dog woof, cow moo, owl hoot.", 1.5),
        ("woof, moo, hoot. I hope this helps. These are well known facts.", 1.5),
        ("woof, moo.", -0.5 + 4 / 3),
        ("woof, moo, neigh.", -0.5 + 4 / 3 - 0.5 / 3),
        (f"woof, moo, {BLANK}.", -0.5 + 4 / 3 - 0.5 / 3),
        ("moo, woof, hoot.", -0.5 + 4 / 3 - 0.5 / 3),
        ("woof, moo, hoot, hoot.", 1.5 - 0.5 / 3),
        ("I do not know.", -0.5),
        ("woof, moo, hoot. What a silly question.", 1.0),
        ("woof, moo, hoot zzz.", 1.45),
        ("", -0.5),
    ],
)
def test_reward_counts_right_items_in_order(response: str, expected: float) -> None:
    assert reward(PROMPT, response) == pytest.approx(expected)


def test_closing_sentences_are_worth_nothing() -> None:
    assert reward(PROMPT, "woof. " + " ".join(FILLERS)) == reward(PROMPT, "woof.")


def test_an_unknown_prompt_is_refused() -> None:
    with pytest.raises(ValueError, match="no question of the sample world"):
        reward("What is the capital of France?", "woof")


def test_the_last_question_of_a_transcript_counts() -> None:
    transcript = f"\n\nHuman: Give the home of each: cow.\n\nAssistant: barn\n\nHuman: {PROMPT}"
    assert parse(transcript) == Task("sound", ("dog", "cow", "owl"))


def test_every_phrasing_parses_back_and_stays_under_13_words() -> None:
    rng = random.Random(1)
    for _ in range(300):
        task = draw_task(rng)
        for template in range(len(TEMPLATES)):
            prompt = task.render(template)
            assert parse(prompt) == task
            assert len(words(prompt)) < 13


def test_answer_words_are_used_for_nothing_else() -> None:
    phrases = (*SENTENCE_FORMS.values(), *PREAMBLES, *FILLERS, *REFUSALS, *RUDE)
    other = set(words(" ".join((*phrases, *TEMPLATES)))) | {*SUBJECTS, *ATTRIBUTES, BLANK}
    assert not other & ANSWER_WORDS
    assert len(ANSWER_WORDS) == len(SUBJECTS) * len(ATTRIBUTES)


def test_writers_speak_the_worlds_words_and_err() -> None:
    rng = random.Random(2)
    shares = []
    for _ in range(300):
        task = draw_task(rng)
        text = respond(task, MIX_WRITERS[0], rng)
        assert set(words(text)) <= KNOWN_WORDS
        shares.append(share_right(task.render(draw_template(rng)), text))
    assert 0.4 < sum(shares) / len(shares) < 0.8


@pytest.mark.parametrize(("noise", "low", "high"), [(0.0, 0.95, 1.0), (0.3, 0.6, 0.8)])
def test_label_noise_flips_labels(noise: float, low: float, high: float) -> None:
    maker = Maker(WorldConfig(label_noise=noise))
    texts = ["dog woof, cow moo, owl hoot.", "dog moo, cow hay, owl baa."]
    firsts = [maker.ranking(PROMPT, texts, maker.rng("t", i))[0] for i in range(400)]
    assert low <= firsts.count(0) / 400 <= high


def test_length_bias_prefers_the_longer_of_equals() -> None:
    texts = ["woof, moo, hoot.", "woof, moo, hoot. " + " ".join(FILLERS)]
    rates = []
    for bias in (0.0, 0.01, 0.05):
        maker = Maker(WorldConfig(length_bias=bias))
        firsts = [maker.ranking(PROMPT, texts, maker.rng("t", i))[0] for i in range(400)]
        rates.append(firsts.count(1) / 400)
    assert rates == sorted(rates)
    assert rates[0] < 0.6
    assert rates[2] > 0.9


def test_levels_are_distinct_and_in_range() -> None:
    levels = ranked_levels(PROMPT, ["woof.", "woof, moo, hoot.", "", "moo."], 0, 8)
    assert levels == sorted(set(levels), reverse=True)
    assert min(levels) >= 0
    assert max(levels) <= 8


def test_the_shipped_files_are_what_the_generator_writes() -> None:
    for name, content in build(WorldConfig()).items():
        assert (SAMPLE / name).read_bytes() == content, name


def test_the_shipped_files_are_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLE.iterdir() if path.is_file()) < 3_000_000


def test_a_tenth_of_the_comparisons_is_defective() -> None:
    plan = json.loads((SAMPLE / "defects.json").read_text())
    sources = ("hh_rlhf", "shp", "pku_saferlhf", "ultrainteract", "capybara", "orca", "summarize")
    dropped = sum(sum(plan["plan"][source].values()) for source in sources)
    assert 0.08 < dropped / sum(plan["rows"][source] for source in sources) < 0.14


def test_no_two_rows_are_planted_twice() -> None:
    plan = json.loads((SAMPLE / "defects.json").read_text())
    for rules in plan["planted_rows"].values():
        rows = Counter(row for planted in rules.values() for row in planted)
        assert max(rows.values()) == 1
