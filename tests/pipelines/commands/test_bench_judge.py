"""AlpacaEval, MT-Bench and Arena-Hard end to end: a tiny policy answers, a loopback judge decides.

The judge is an OpenAI-compatible server that goes by length, with a taste for what stands first,
so that every figure the scorers print can be computed from the answers alone.
"""

from __future__ import annotations

import gzip
import json
import math
import re
import shutil
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from transformers.utils import logging

from pipelines import cli
from pipelines.shared import bench_files
from tests.training.loopback import Loopback, chat, serving
from training.bench.contestants import BENCHES
from training.core.chat_template import ChatTemplate
from training.core.seeds import sample_seed
from training.engines.protocol import Draw, Request
from training.engines.transformers_sampler import TransformersSampler

ROOT = Path(__file__).resolve().parents[3]
SHARED = ROOT.parent / "shared/data"
ANIMALS = ("dog", "cow", "owl", "cat", "hen", "fox")
FIRST = {1: 0.9, 0: 0.6, -1: 0.2}  # the judge's chance for the first, by who is longer
LABEL = {2: "A>>B", 1: "A>B", 0: "A=B", -1: "B>A", -2: "B>>A"}
SHARE = {"A>>B": (3, 3), "A>B": (1, 1), "A=B": (0.5, 1), "B>A": (0, 1), "B>>A": (0, 3)}


def sign(first: str, second: str) -> int:
    return (len(first) > len(second)) - (len(first) < len(second))


def label(first: str, second: str) -> str:
    """Much better where more than half as long again."""
    far = max(len(first), len(second)) > 1.5 * min(len(first), len(second))
    return LABEL[sign(first, second) * (1 + far)]


class Long(Loopback):
    """Every third request is refused once; owls are never judged, and of hens it babbles."""

    asked: ClassVar[list[str]] = []
    lock = threading.Lock()

    def answer(self, call: dict[str, Any]) -> None:
        question = call["messages"][-1]["content"]
        with self.lock:
            busy = len(self.asked) % 3 == 2 and question not in self.asked
            self.asked.append(question)
        if busy:
            self.send(429, {"error": {"message": "later"}})
        elif "each: owl." in question:
            self.send(400, {"error": {"message": "no owls here"}})
        else:
            self.send(200, self.completion(question, "logprobs" in call))

    def completion(self, question: str, weighted: bool) -> dict[str, Any]:
        answers = re.findall(r"<answer\w*>\n(.*?)\n\s*</answer", question, re.DOTALL)
        if "each: hen." in question:
            text, chances = "no idea", {"no": 0.9, "N": 0.1}
        elif weighted:
            first = FIRST[sign(*answers)]
            text, chances = "m", {"m": 0.5 * first, "M": 0.5 * (1 - first), "?": 0.5}
        elif len(answers) == 2:
            text = f"My verdict: [[{label(*answers)}]]"
        else:
            text = f"Rating: [[{1 + len(answers[0]) % 10}]]"
        if not weighted:
            return chat(text)
        top = [{"token": t, "logprob": math.log(p)} for t, p in chances.items()]
        return chat(text, logprobs={"content": [{"token": text, "top_logprobs": top}]})


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(Long) as address:
        yield address


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a recipe, the judges' templates and a small file of each benchmark."""
    monkeypatch.chdir(tmp_path)
    recipe = yaml.safe_load((ROOT / "recipes/sample.yaml").read_text("utf-8"))
    recipe["evaluation"]["max_new_tokens"] = 12
    Path("params.yaml").write_text(yaml.safe_dump(recipe), "utf-8")
    shutil.copytree(ROOT / "recipes/judges", "recipes/judges")
    asked = [f"Give the sound of each: {name}." for name in ANIMALS]
    alpaca = [{"instruction": text, "dataset": "made"} for text in asked]
    Path("alpaca_eval.json").write_text(json.dumps(alpaca), "utf-8")
    arena = [{"uid": f"u{k}", "category": "made", "prompt": text} for k, text in enumerate(asked)]
    lines("arena_hard.jsonl", arena)
    mt: list[dict[str, Any]] = [
        {"question_id": 81 + k, "category": "writing", "turns": [text, "Again."]}
        for k, text in enumerate(asked)
    ]
    mt[0] |= {"category": "math", "reference": ["woof", "woof woof"]}
    mt[1] |= {"reference": ["moo", "moo moo"]}  # writing: the reference is not shown
    lines("mt_bench.jsonl", mt)
    return tmp_path


def lines(path: str, rows: list[dict[str, Any]]) -> None:
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def read(path: str) -> list[dict[str, Any]]:
    text = Path(path).read_text("utf-8")
    if text.startswith("["):
        return list(json.loads(text))
    return [json.loads(line) for line in text.splitlines()]


def questions(bench: str) -> str:
    return f"{bench}.{'json' if bench == 'alpaca_eval' else 'jsonl'}"


def answer(bench: str, base: Path, out: str, *more: str) -> int:
    flags = ["--bench", bench, "--questions", questions(bench), "--checkpoint", str(base)]
    return cli.main(["bench-answers", *flags, "--out", out, *more])


def judge(bench: str, url: str, *more: str, answers: str = "ours", out: str = "judged") -> int:
    flags = ["--bench", bench, "--questions", questions(bench), "--answers", answers]
    flags += ["--server", url, "--model", "long", "--concurrency", "4", "--retries", "2"]
    return cli.main(["bench-judge", *flags, "--out", out, *more])


def board(capsys: pytest.CaptureFixture[str], *command: str) -> dict[str, Any]:
    capsys.readouterr()
    assert cli.main([*command, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    return dict(row)


def test_alpaca_eval(base: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer("alpaca_eval", base, "ours", "--name", "ours") == 0
    assert answer("alpaca_eval", base, "theirs", "--name", "theirs", "--temperature", "0") == 0
    assert answer("alpaca_eval", base, "again", "--name", "ours") == 0
    assert Path("again").read_bytes() == Path("ours").read_bytes()
    ours, theirs = read("ours"), read("theirs")
    assert [row["instruction"] for row in ours] == [
        row["instruction"] for row in read("alpaca_eval.json")
    ]
    assert list(ours[0])[:3] == ["instruction", "output", "generator"]
    assert judge("alpaca_eval", url, "--baseline", "theirs") == 0
    out = capsys.readouterr().out
    assert "bench_judge: 12 in, 8 kept, 4 rejected" in out  # both orders
    assert "score with: prefloop alpaca-eval judged" in out
    rows = read("judged")
    preferences = []
    for row, mine, other in zip(rows, ours, theirs, strict=True):
        assert (row["output_2"], row["output_1"]) == (mine["output"], other["output"])
        if "owl" in row["instruction"]:
            assert row["preference"] is None
            assert "no owls here" in row["reason"]
        elif "hen" in row["instruction"]:
            assert row["preference"] is None
            assert row["reason"] == "no label among the likeliest tokens: 'no', 'N'"
        else:
            a, b = row["output_1"], row["output_2"]
            expected = 1 + (1 - FIRST[sign(a, b)] + FIRST[sign(b, a)]) / 2
            assert row["preference"] == pytest.approx(expected)
            preferences.append(expected)
    found = board(capsys, "alpaca-eval", "judged")
    assert (found["model"], found["n_total"]) == ("ours", 4)
    assert found["win_rate"] == pytest.approx(100 * sum(p - 1 for p in preferences) / 4)
    assert 0 < found["length_controlled_winrate"] < 100
    assert cli.main(["alpaca-eval", "judged"]) == 0
    assert re.search(r"paper: iterative DPO.* 31\.30", capsys.readouterr().out)


def test_mt_bench_answers_in_two_turns_and_the_second_sees_the_first(
    base: Path, url: str, template: ChatTemplate, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answer("mt_bench", base, "ours") == 0
    rows = read("ours")
    assert list(rows[0]) == ["question_id", "answer_id", "model_id", "choices", "tstamp"]
    assert {row["tstamp"] for row in rows} == {0.0}
    first, second = rows[2]["choices"][0]["turns"]
    said = {"role": "assistant", "content": first}
    user = [{"role": "user", "content": text} for text in read("mt_bench.jsonl")[2]["turns"]]
    prompt = template.encode([user[0], said, user[1]], add_generation_prompt=True)
    draw = Draw(sample_seed(110, "83", 1), 0.7)  # the category's temperature
    sampler = TransformersSampler(base, "float32", 4096)
    ((drawn,),) = sampler.sample([Request(prompt, (draw,))], 12)
    assert template.decode(drawn.token_ids) == second

    assert judge("mt_bench", url) == 0
    judged = read("judged")
    assert [(row["question_id"], row["turn"]) for row in judged[:3]] == [(81, 1), (81, 2), (82, 1)]
    by_key = {(row["question_id"], row["turn"]): row for row in judged}
    assert "woof woof" in by_key[81, 2]["user_prompt"]
    assert by_key[81, 2]["judge"] == ["long", "reference"]
    assert "moo moo" not in by_key[82, 2]["user_prompt"]
    assert f"assistant: {first}" in by_key[83, 2]["user_prompt"]
    good = [row for row in judged if row["score"] is not None]
    assert len(good) == 8
    assert {row["question_id"] for row in judged if row["score"] is None} == {83, 85}
    texts = {row["question_id"]: row["choices"][0]["turns"] for row in rows}
    expected = [1 + len(texts[row["question_id"]][row["turn"] - 1]) % 10 for row in good]
    assert [row["score"] for row in good] == expected
    found = board(capsys, "mt-bench", "judged")
    assert (found["score"], found["failed"]) == (pytest.approx(sum(expected) / 8), 4)


def test_arena_hard(base: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer("arena_hard", base, "ours", "--name", "ours", "--temperature", "1") == 0
    assert answer("arena_hard", base, "theirs", "--max-new-tokens", "5") == 0
    assert read("ours")[1]["choices"][0]["turns"][0].keys() == {"content"}
    assert judge("arena_hard", url, "--baseline", "theirs") == 0
    won = games = 0.0
    for row, mine, other in zip(read("judged"), read("ours"), read("theirs"), strict=True):
        b, a = (one["choices"][0]["turns"][0]["content"] for one in (mine, other))
        if row["question_id"] in ("u2", "u4"):
            assert [game["score"] for game in row["games"]] == [None, None]
            assert row["games"][0]["reason"]
            continue
        assert [game["score"] for game in row["games"]] == [label(a, b), label(b, a)]
        (lost, n), (gained, m) = SHARE[label(a, b)], SHARE[label(b, a)]
        won, games = won + n - lost + gained, games + n + m
    found = board(capsys, "arena-hard", "judged")
    assert found["win_rate"] == pytest.approx(100 * won / games)
    assert (found["model"], found["questions"], found["failed"]) == ("ours", 4, 2)
    assert cli.main(["arena-hard", "judged"]) == 0
    assert re.search(r"paper: SFT +5\.60", capsys.readouterr().out)


def test_a_question_without_room_has_an_empty_answer_that_says_so(base: Path) -> None:
    rows = [*read("alpaca_eval.json"), {"instruction": "word " * 400}]
    Path("alpaca_eval.json").write_text(json.dumps(rows), "utf-8")
    assert answer("alpaca_eval", base, "ours") == 0
    last = read("ours")[-1]
    assert (last["output"], last["finish_reason"]) == ("", "over_context")


def test_what_is_wrong_is_one_line(
    base: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    alpaca = [
        {"instruction": row["instruction"], "output": "x", "generator": "g"}
        for row in read("alpaca_eval.json")
    ]
    Path("ours").write_text(json.dumps(alpaca), "utf-8")
    Path("few").write_text(json.dumps(alpaca[1:]), "utf-8")
    Path("two").write_text(json.dumps([alpaca[0], {**alpaca[1], "generator": "h"}]), "utf-8")
    Path("twice").write_text(json.dumps([alpaca[0], *alpaca]), "utf-8")
    both = ("--baseline", "ours")
    logging.enable_progress_bar()  # as where another import came before ours
    cases = [
        (judge("alpaca_eval", url), "--baseline: give the baseline's answers"),
        (judge("mt_bench", url, *both), "--baseline: mt_bench has none"),
        (judge("alpaca_eval", url, *both, answers="few"), "few: 0 of 1 turns of question 'Give"),
        (judge("alpaca_eval", url, *both, answers="two"), "two: row 2: the file holds g and h"),
        (judge("alpaca_eval", url, *both, answers="twice"), "is answered twice; keep one"),
        (judge("mt_bench", url), "ours: row 1 lacks question_id"),
        (judge("alpaca_eval", "127.0.0.1:9", *both), "--server 127.0.0.1:9: "),
        (judge("alpaca_eval", "http://127.0.0.1:9/v1", *both, "--retries", "0"), "refused"),
        (judge("alpaca_eval", url, *both, "--concurrency", "0"), "--concurrency 0: "),
        (
            judge("alpaca_eval", url, *both, "--template", "recipes/judges/rating.yaml"),
            "kind: rating; alpaca_eval needs pairwise",
        ),
        (
            cli.main(["bench-answers", "--bench", "mt_bench", "--questions", "alpaca_eval.json",
                      "--checkpoint", str(base), "--out", "none"]),
            "row 1 lacks question_id",
        ),
        (answer("alpaca_eval", base, "none", "--max-new-tokens", "9999"), "none of 6 questions"),
        (answer("alpaca_eval", Path("no"), "none"), "no tokenizer.json here"),
    ]  # fmt: skip
    told = capsys.readouterr().err.splitlines()
    assert len(told) == len(cases)
    for (code, message), line in zip(cases, told, strict=True):
        assert code == 2
        assert message in line
    assert not Path("judged").exists()
    assert not Path("none").exists()


def test_the_judge_that_labels_does_not_evaluate(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = yaml.safe_load(Path("params.yaml").read_text("utf-8"))
    recipe["scoring"]["reward_model"] = "panel"
    path, server = "recipes/judges/rating.yaml", {"url": url, "model": "long"}
    recipe["judges"] = {"llm": {"kind": "llm", "path": path, "server": server}}
    Path("params.yaml").write_text(yaml.safe_dump(recipe), "utf-8")
    assert judge("mt_bench", url) == 2
    assert "judges.llm labels this recipe's pairs with it" in capsys.readouterr().err


def test_finished_replies_outlive_a_stop(
    base: Path, url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answer("arena_hard", base, "ours") == 0
    monkeypatch.setattr("pipelines.commands.bench_judge._SHARD", 2)
    whole = Long.completion

    def stops(self: Long, question: str, weighted: bool) -> dict[str, Any]:
        if "each: fox." in question:
            raise KeyboardInterrupt
        return whole(self, question, weighted)

    monkeypatch.setattr(Long, "completion", stops)
    monkeypatch.setattr(ThreadingHTTPServer, "handle_error", lambda *_: None)
    assert judge("arena_hard", url, "--baseline", "ours") == 2
    assert not Path("judged").exists()
    monkeypatch.setattr(Long, "completion", whole)
    Long.asked.clear()
    assert judge("arena_hard", url, "--baseline", "ours") == 0
    assert len(read("judged")) == 6
    assert not any("each: dog." in question for question in Long.asked)
    assert any("each: fox." in question for question in Long.asked)


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not here")
def test_the_published_question_files_are_read() -> None:
    files = {
        "alpaca_eval": ("alpaca_eval/annotations_15_models.parquet", 805, 1),
        "mt_bench": ("benchmarks/mt_bench_question.jsonl", 80, 2),
        "arena_hard": ("benchmarks/arena_hard_v0_1_question.jsonl.gz", 500, 1),
    }
    for bench in BENCHES:
        name, count, turns = files[bench]
        found = bench_files.questions(bench, SHARED / name)
        assert len(found) == count
        assert {len(question.turns) for question in found} == {turns}


def test_both_of_arena_hards_answer_forms_are_read() -> None:
    (asked, *_) = bench_files.questions("arena_hard", Path("arena_hard.jsonl"))
    old = {"question_id": "u0", "model_id": "m", "choices": [{"turns": [{"content": "woof"}]}]}
    messages = [{"role": "user", "content": "?"},
                {"role": "assistant", "content": {"answer": "woof"}}]  # fmt: skip
    for row in (old, {"uid": "u0", "model": "m", "messages": messages}):
        with gzip.open("a.jsonl.gz", "wt") as handle:
            handle.write(json.dumps(row) + "\n")
        found = bench_files.answers("arena_hard", Path("a.jsonl.gz"), [asked])
        assert (found.model, found.of(asked)) == ("m", ("woof",))
