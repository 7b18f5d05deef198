"""`prefloop publish` against a Hub over real HTTP: what it writes, and what it never writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.pipelines.commands.publish.conftest import REPO, Ran
from tests.pipelines.commands.publish.standin import TOKEN, Hub, Repo

Run = Callable[..., Ran]
KEY = ("dataset", REPO)
PAIRS = "data/pairs_iter1/train-00000-of-00001.parquet"


def _refused(ran: Ran, *words: str) -> None:
    """Exit code 2 and one line that says all of these words."""
    lines = [line for line in ran.err.splitlines() if not line.startswith("publish: scanning")]
    line = lines[-1]
    assert ran.code == 2
    assert line.startswith("publish: ")
    assert "Traceback" not in ran.err
    for word in words:
        assert word in line


def test_a_first_publication_is_one_commit_with_a_tag(run: Run, hub: Hub, build: Path) -> None:
    ran = run("--tag", "v1")
    assert ran.code == 0, ran.err
    repo = hub.repos[KEY]
    assert [commit.title for commit in repo.commits.values()][1:] == [repo.main.title]
    assert repo.tags == {"v1": repo.main.oid}
    assert not repo.private
    assert repo.main.files[PAIRS] == (build / "data/iterations/iter1/pairs.parquet").read_bytes()
    assert repo.main.files["dvc.lock"] == (build / "dvc.lock").read_bytes()
    assert not any(TOKEN.encode() in content for content in repo.main.files.values())


def test_the_card_names_configs_sources_licences_drops_and_gates(run: Run, hub: Hub) -> None:
    run("--tables", "pairs", "mixes", "prompts")
    card = hub.repos[KEY].main.files["README.md"].decode()
    header = yaml.safe_load(card.split("---\n")[1])
    assert header["license"] == "apache-2.0"  # dibt is Apache-2.0, hh_rlhf is MIT
    configs = {one["config_name"]: one["data_files"] for one in header["configs"]}
    assert list(configs) == ["pairs_iter1", "mixes_mix1", "prompts"]
    assert [one["split"] for one in configs["prompts"]] == ["train", "test"]
    assert "| pairs_iter1 | dibt | 8 | Apache-2.0 |" in card
    assert "| mixes_mix1 | hh_rlhf | 1 | MIT |" in card
    assert "| pair@iter1 | dibt | tie | 1 |" in card
    assert "| standardize@shp | shp | tie | 1 |" in card
    assert "| mixes/mix1/checks | 2 | 1 | 0 | passed |" in card
    assert "strategy: best_worst" in card
    assert "arXiv:2405.07863" in card


def test_a_second_run_sends_nothing(run: Run, hub: Hub) -> None:
    assert run("--tag", "v1").code == 0
    head = hub.repos[KEY].main.oid
    again = run("--tag", "v1")
    assert again.code == 0
    assert "nothing to send" in again.out
    assert hub.writes() == []
    assert hub.repos[KEY].main.oid == head


def test_only_what_changed_is_sent(run: Run, hub: Hub) -> None:
    assert run("--tables", "pairs").code == 0
    sent = len(hub.objects)
    assert run("--tables", "pairs", "scores").code == 0
    assert len(hub.uploads()) == len(hub.objects) - sent == 1


def test_tables_left_out_are_deleted_only_when_asked(run: Run, hub: Hub) -> None:
    assert run("--tables", "pairs", "scores").code == 0
    _refused(run("--tables", "pairs"), "scores_iter1", "--prune")
    assert hub.writes() == []
    assert run("--tables", "pairs", "--prune").code == 0
    assert [name for name in hub.repos[KEY].main.files if name.endswith(".parquet")] == [PAIRS]


def test_a_dry_run_makes_no_request_that_writes(run: Run, hub: Hub) -> None:
    ran = run("--dry-run")
    assert ran.code == 0
    assert PAIRS in ran.out
    assert hub.writes() == []
    assert hub.repos == {}
    run()
    assert run("--tables", "history", "--prune", "--dry-run").code == 0
    assert hub.writes() == []


def test_a_pull_request_leaves_main_alone(run: Run, hub: Hub) -> None:
    ran = run("--pr")
    repo = hub.repos[KEY]
    assert ran.code == 0
    assert f"{hub.url}/datasets/{REPO}/discussions/1" in ran.out
    assert list(repo.main.files) == [".gitattributes"]
    assert PAIRS in repo.commits[repo.branches["refs/pr/1"]].files
    _refused(run("--pr", "--tag", "v1"), "merge the pull request first")


@pytest.mark.parametrize("at", ["/commit/", "/lfs/", "objects/batch", "/preupload/"])
def test_a_lost_connection_publishes_nothing_and_a_rerun_the_rest(
    run: Run, hub: Hub, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)  # its backoff
    puts: list[str] = []

    def cut(method: str, path: str) -> bool:
        if method == "PUT":
            puts.append(path)
        return at in path and (method != "PUT" or len(puts) > 2)

    hub.drop = cut
    _refused(run(), "connection lost", "nothing was published")
    assert list(hub.repos[KEY].main.files) == [".gitattributes"]
    there = set(hub.objects)
    hub.drop = lambda _method, _path: False
    assert run().code == 0
    assert len(hub.uploads()) == len(set(hub.objects) - there)
    assert PAIRS in hub.repos[KEY].main.files


def test_a_lost_answer_is_not_called_a_failure(run: Run, hub: Hub) -> None:
    hub.lose_answer = True
    _refused(run("--tables", "pairs"), "connection lost", "may have taken the commit")
    hub.lose_answer = False
    again = run("--tables", "pairs", "--tag", "v1")
    assert again.code == 0
    assert "nothing to send" in again.out
    assert hub.repos[KEY].tags == {"v1": hub.repos[KEY].main.oid}


def test_a_moved_parent_is_refused(run: Run, hub: Hub) -> None:
    assert run("--tables", "pairs").code == 0
    repo = hub.repos[KEY]

    def other(method: str, path: str) -> None:
        if "/commit/" in path and repo.main.title != "theirs":
            repo.commit("theirs", {**repo.main.files, "NOTES.md": b"theirs"})

    hub.before = other
    _refused(run("--tables", "pairs", "scores"), "someone else has committed", "run it again")
    assert repo.main.title == "theirs"
    assert run("--tables", "pairs", "scores").code == 0
    assert repo.main.files["NOTES.md"] == b"theirs"


def test_private_stays_private(run: Run, hub: Hub) -> None:
    assert run("--private").code == 0
    assert hub.repos[KEY].private
    assert run("--private").code == 0
    hub.repos[KEY].private = False
    _refused(run("--private"), "is public")


def test_files_of_others_are_not_replaced_unasked(run: Run, hub: Hub) -> None:
    hub.repos[KEY] = Repo(private=False)
    hub.repos[KEY].commit("by hand", {"README.md": b"mine", "data/x.csv": b"1"})
    _refused(run(), "README.md", "--adopt")
    assert hub.writes() == []
    assert run("--adopt").code == 0
    assert hub.repos[KEY].main.files["data/x.csv"] == b"1"


def test_a_tag_never_moves(run: Run, hub: Hub) -> None:
    assert run("--tables", "pairs", "--tag", "v1").code == 0
    first = dict(hub.repos[KEY].tags)
    _refused(run("--tables", "pairs", "scores", "--tag", "v1"), "tag v1 is on")
    assert hub.writes() == []
    assert hub.repos[KEY].tags == first


def test_no_token_and_a_wrong_one(run: Run, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = "hf_" + "w" * 34
    monkeypatch.setenv("HF_TOKEN", wrong)
    ran = run()
    _refused(ran, "not permitted (401)")
    assert wrong not in ran.out + ran.err
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", "no-such-file")
    _refused(run(), "no token", "HF_TOKEN")
    assert hub.repos == {}
    assert run("--dry-run").code == 0


def test_a_hub_that_does_not_answer(run: Run, hub: Hub) -> None:
    hub.server_close()
    hub.shutdown()
    _refused(run(), "connection lost")


@pytest.mark.parametrize("name", ["pets", "a/b/c", "org/..", "org/pe ts"])
def test_a_name_that_is_none_is_refused(
    build: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from pipelines.commands import publish

    assert publish.main(["--repo", name, "--dry-run"]) == 2
    assert f"--repo {name}" in capsys.readouterr().err


def test_a_checkpoint_is_a_model_repository(run: Run, hub: Hub, build: Path) -> None:
    ran = run("--checkpoint", "iter1", "--tag", "v1")
    assert ran.code == 0, ran.err
    repo = hub.repos[("model", REPO)]
    weights = build / "data/checkpoints/iter1/model.safetensors"
    assert repo.main.files["model.safetensors"] == weights.read_bytes()
    card = repo.main.files["README.md"].decode()
    header = yaml.safe_load(card.split("---\n")[1])
    assert header["pipeline_tag"] == "text-generation"
    assert header["library_name"] == "transformers"
    sha = json.loads(repo.main.files["prefloop.json"])["weights_sha"]
    assert f"| weights | {sha} |" in card
    assert "| accuracy | 0.75 |" in card
    assert "| iter1 | 1 |" in card  # its oracle reward
    assert "pairs of iter1" in card
    assert run("--checkpoint", "iter1").code == 0
    assert hub.writes() == []


def test_a_checkpoint_that_can_run_code_is_refused(run: Run, hub: Hub, build: Path) -> None:
    (build / "data/checkpoints/iter1/training_args.bin").write_bytes(b"pickle")
    _refused(run("--checkpoint", "iter1"), "training_args.bin", "safetensors")
    _refused(run("--checkpoint", "iter9"), "iter9")
    assert hub.asked == []
