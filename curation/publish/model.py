"""A model repository of the Hub from a checkpoint of a build."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from curation.audit.connect import open_build
from curation.audit.lineage import Lineage, trace
from curation.core.errors import UserError
from curation.publish import card, facts, lock, origins
from curation.publish.bundle import Bundle, Origin, Wish, reason, scan_texts, sealed
from curation.publish.licences import Combined, combine

_CARD = "README.md"
_MEAN_HEAD = "reward_head.safetensors"  # of a reward model that is a mean over the response
_TEXTS = (".json", ".jinja", ".txt", ".md", ".yaml")
_REFUSED = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".py")  # can run code when loaded
_WHAT = {
    "policy": "A policy of an online iterative RLHF loop: DPO on judged samples of its own.",
    "base": "The base model of an online iterative RLHF loop.",
    "reward_model": "A reward model (Bradley-Terry) of an online iterative RLHF loop.",
    "preference_model": "A pairwise preference model of an online iterative RLHF loop.",
}
_SFT = "The supervised start of an online iterative RLHF loop, before its first iteration."
_START = (
    "The start of an online iterative RLHF loop: a published model, before its first iteration."
)


def make(origin: Origin, wish: Wish, checkpoint: str, say: Callable[[str], None]) -> Bundle:
    """Licence, scan and describe a checkpoint.

    Args:
        origin: the build.
        wish: what was asked for.
        checkpoint: a name such as iter3, sft or reward_models/mix2.
        say: told each step as it starts.

    Raises:
        UserError: there is no such checkpoint, it is not what dvc.lock recorded, a gate failed, a
            licence forbids it, or it holds files that can run code.
    """
    made = trace(origin.data, origin.params, checkpoint)
    folder = origin.data / "checkpoints" / checkpoint
    files = _files(folder)
    locked = lock.load(origin.lock_file)
    out = origin.relative(folder)
    stages = locked.upstream([out])
    lock.check_params(locked, stages, origin.params_file)
    say(f"{checkpoint}: checking it against {origin.lock_file.name}")
    locked.verify(out)
    names = [
        node.name.removeprefix("source ") for node in made.nodes if node.name.startswith("source ")
    ]
    stated = origins.licences(sorted(names), origin.params, sampled=True)
    licence = combine(stated, wish.allow_unknown, wish.licence)
    told = _told(origin, made, checkpoint, stages, names) | {
        "params": locked.params(stages),
        "code": locked.code(stages),
        "title": wish.repo.rpartition("/")[2],
        "repo": wish.repo,
        "licence": licence.name or licence.id,
        "why": reason(licence, wish.licence is not None),
        "obligations": facts.obligations(stated),
    }
    told |= _loading(folder, _what(origin, checkpoint, told["kind"]))
    header = _header(told, licence, origin.params["base"].get("uri"))
    files[_CARD] = (header + card.render("model", told)).encode()
    files["params.yaml"] = origin.params_file
    files["dvc.lock"] = origin.lock_file
    texts = [name for name in files if name.endswith(_TEXTS)]
    return sealed(Bundle("model", licence, files, scan_texts(files, texts)))


def _files(folder: Path) -> dict[str, Path | bytes]:
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; run the stage that trains it first")
    found: dict[str, Path | bytes] = {
        file.relative_to(folder).as_posix(): file
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
    unsafe = [name for name in found if name.endswith(_REFUSED)]
    if unsafe:
        raise UserError(
            f"{folder}: {', '.join(unsafe)} can run code when loaded; publish safetensors only"
        )
    return found


def _told(
    origin: Origin, made: Lineage, checkpoint: str, stages: list[str], names: list[str]
) -> dict[str, Any]:
    """The figures of the card."""
    con = open_build(origin.data)
    try:
        facts.failed_gates(con)
        known = facts.weights(con, checkpoint)
        return {
            **known,
            "checkpoint": checkpoint,
            "training": facts.training(con, checkpoint),
            "policies": facts.policies(con, ["sft", checkpoint]) if _is_policy(known) else [],
            "lineage": _lineage(made),
            "all_sources": facts.sources(con, origin.params, names),
            "waterfall": facts.waterfall(con, stages),
            "drops": facts.drops(con, stages),
            "gates": facts.gates(con),
            "base": _base(origin),
            "commit": origin.commit,
            "dirty": origin.dirty,
        }
    finally:
        con.close()


def _is_policy(known: dict[str, Any]) -> bool:
    return bool(known["kind"] == "policy")


def _base(origin: Origin) -> str:
    """Where the base has come from, and how its weights were quantised when they were published."""
    base = origin.params["base"]
    if not base.get("uri"):
        return "trained from scratch"
    card = origin.data / "checkpoints/base/prefloop.json"
    told = json.loads(card.read_text("utf-8")) if card.is_file() else {}
    parts = [str(base["uri"])]
    if revision := told.get("revision") or base.get("revision"):
        parts.append(f"revision {revision}")
    if kinds := told.get("quantised_from"):
        parts.append(f"de-quantised from {', '.join(kinds)}")
    return ", ".join(parts)


def _lineage(made: Lineage) -> facts.Rows:
    used_by: dict[str, list[str]] = {}
    for source, child in made.edges:
        used_by.setdefault(source, []).append(child)
    return [
        {
            "made of": node.name,
            "kind": node.kind,
            "used by": ", ".join(used_by.get(node.name, [])),
            "what is known of it": node.detail,
        }
        for node in made.nodes
    ]


def _what(origin: Origin, checkpoint: str, kind: str) -> str:
    if checkpoint == "sft":
        return _SFT if origin.params["sft"] is not None else _START
    return _WHAT[kind]


def _loading(folder: Path, what: str) -> dict[str, Any]:
    """What the model is and the class of transformers that loads it."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    judges = any("Classification" in name for name in config.get("architectures") or [])
    auto = "AutoModelForSequenceClassification" if judges else "AutoModelForCausalLM"
    mean = (folder / _MEAN_HEAD).is_file()
    if mean:
        auto = "AutoModel"
    return {"what": what, "auto": auto, "mean_head": _MEAN_HEAD if mean else None}


def _header(told: dict[str, Any], licence: Combined, base: str | None) -> str:
    from huggingface_hub import ModelCardData  # half a second: the table stages go without

    judges = told["auto"] != "AutoModelForCausalLM"
    terms = card.licence_fields(licence)
    data = ModelCardData(
        base_model=next(iter(card.hub_ids([{"from": base}])), None),
        datasets=card.hub_ids(told["all_sources"]) or None,
        library_name="transformers",
        license=terms["license"],
        license_name=terms.get("license_name"),
        pipeline_tag="text-classification" if judges else "text-generation",
        tags=["rlhf", "online-rlhf", "reward-model" if judges else "dpo", "prefloop"],
    )
    return f"---\n{data.to_yaml()}\n---\n"
