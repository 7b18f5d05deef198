"""Texts joined to chosen candidates by id, the pair rules, and the rows that become pairs."""

from __future__ import annotations

import numpy as np
import polars as pl

from curation.core import ids
from curation.core.errors import UserError
from curation.core.grouped import Ints
from curation.core.ordered import PART
from curation.core.schema import MESSAGES, PAIRS
from curation.core.threads import mapped
from curation.pairing.overrides import FLIPPED, KEPT, override
from curation.pairing.responses import SAID
from curation.pairing.rules import Rules

SMALL_MARGIN = 0.4  # under Bradley-Terry such a label would be the other way round 40% of the time
TEXTS = 2 * PART  # responses whose texts are read at once
SIDES = ("chosen", "rejected")
LENGTH_GAP = 2  # one side more than this many times as long as the other


def with_texts(
    candidates: pl.DataFrame, generations: pl.LazyFrame, prompts: pl.LazyFrame
) -> pl.DataFrame:
    """Candidates in order of a new pair_id, with source, prompt (messages), chosen and rejected.

    Raises:
        UserError: a prompt of the generations is not in the prompts table.
    """
    said = _said(candidates, generations)
    pool, place = _pool(candidates, prompts)
    # the prompt's part of the id is made once per prompt
    canonical = pool.select(key=ids.canonical(pl.col("prompt")))["key"].gather(place)
    texts = pl.DataFrame([canonical, *(column for column in said if column.name in SIDES)])
    named = candidates.hstack([*said, _pair_ids(texts), place.alias("place_")])
    ordered = named.sort("pair_id", "place", "prompt_id")
    found = pool[ordered["place_"]]
    return ordered.drop("place_").hstack(found)


def _said(candidates: pl.DataFrame, generations: pl.LazyFrame) -> list[pl.Series]:
    """The texts of both sides, and the token ids that were sampled.

    They are found by the rows that the candidates name, and the ids that stand there must be
    theirs: generations in another order than before are an error, never another response's text.
    """
    rows = {side: candidates[f"{side}_row"].to_numpy() for side in SIDES}
    size = generations.select(pl.len()).collect().item()
    named = np.zeros(size, np.bool_)
    for own in rows.values():
        named[own] = True
    wanted = np.flatnonzero(named)
    place = np.zeros(size, np.uint32)
    place[wanted] = np.arange(wanted.size)
    taken = _taken(wanted, generations, size)
    columns = []
    for side, own in rows.items():
        found = taken[place[own]]
        assert found["generation_id"].equals(candidates[f"{side}_id"]), "generations have moved"
        columns += [found["response"].alias(side)]
        columns += [found[name].alias(f"{side}_{name}") for name in ("token_ids", "template_sha")]
    return columns


def _taken(wanted: Ints, generations: pl.LazyFrame, size: int) -> pl.DataFrame:
    """Ids and texts of the rows named, ascending, of `size` read some row groups at a time."""
    columns = generations.select("generation_id", *SAID)

    def some(start: int) -> pl.DataFrame:
        low, high = np.searchsorted(wanted, [start, start + TEXTS])
        batch = columns.slice(start, TEXTS).collect().rechunk()
        return _owned(batch[wanted[low:high] - start])

    return pl.concat(mapped(some, range(0, max(size, 1), TEXTS))).rechunk()


def _owned(rows: pl.DataFrame) -> pl.DataFrame:
    """The same rows without the memory of the others.

    Polars' strings are views into the buffers they came from; through Arrow's own they are copied.
    """
    return pl.DataFrame(pl.from_arrow(rows.to_arrow(compat_level=pl.CompatLevel.oldest())))


def _pair_ids(texts: pl.DataFrame) -> pl.Series:
    """Ids of columns key (the prompt in canonical form), chosen and rejected, a part at a time."""
    own = ids.pair_digest(pl.col("key"), pl.col("chosen"), pl.col("rejected")).alias("pair_id")
    made = mapped(lambda part: part.select(own), texts.iter_slices(PART))
    return pl.concat(made)["pair_id"] if texts.height else texts.select(own)["pair_id"]


def _pool(candidates: pl.DataFrame, prompts: pl.LazyFrame) -> tuple[pl.DataFrame, pl.Series]:
    """source and prompt (messages) of the candidates' prompts, and each candidate's row there."""
    keys = candidates.select("prompt_id")
    columns = prompts.select("prompt_id", "source", prompt="messages")
    found = columns.join(keys.lazy(), on="prompt_id", how="semi").collect(engine="streaming")
    rows = found.select("prompt_id", place=pl.int_range(pl.len()))
    known = keys.join(rows, on="prompt_id", how="left", maintain_order="left")
    lost = known.filter(pl.col("place").is_null())["prompt_id"].unique().sort()
    if lost.len():
        raise UserError(
            f"prompts: lacks {lost.len()} prompts of the generations, first {lost[0]}; "
            "pass the prompts table they were sampled from"
        )
    return found.drop("prompt_id").rechunk(), known["place"]


def judged_by_rules(
    texts: pl.DataFrame, rules: Rules, verdicts: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Add rule, detail (null where the pair stands) and review to candidates with texts.

    The first rule that applies names the reject: length_unmatched, identical_text, tie, min_margin,
    cut_chosen, then review_drop where people said so, then duplicate_pair for a pair that another
    candidate already is (equal texts, other ids). Candidates that people turned round are turned
    round here.

    Args:
        texts: result of `with_texts`.
        rules: the parameters of the pairing.
        verdicts: what people settled, as `curation.review.decisions.settled` gives it.
    """
    first = texts.with_columns(
        rule=_first([(test, pl.lit(name)) for name, test, _ in _pair_rules(rules)]),
        detail=_first([(test, said) for _, test, said in _pair_rules(rules)]),
    )
    return _unique(override(first, verdicts))


def _pair_rules(rules: Rules) -> list[tuple[str, pl.Expr, pl.Expr]]:
    """Name, test and detail of each rule that drops a candidate, in order."""
    narrow = pl.format("margin {} under {}", "margin", pl.lit(rules.min_margin))
    finished = pl.col("rejected_finish") != "length"
    unfinished = (pl.col("chosen_finish") == "length") & finished
    never = pl.lit(rules.truncated == "never_chosen")
    return [
        *_unmatched(rules),
        (
            "identical_text",
            pl.col("chosen") == pl.col("rejected"),
            pl.lit("chosen and rejected are the same text"),
        ),
        ("tie", pl.col("margin") <= 0, pl.format("both {}", "chosen_adjusted")),
        ("min_margin", pl.col("margin") < rules.min_margin, narrow),
        (
            "cut_chosen",
            never & unfinished,
            pl.lit("chosen was cut at the limit and rejected was not"),
        ),
    ]


def _unmatched(rules: Rules) -> list[tuple[str, pl.Expr, pl.Expr]]:
    """The rule of `Rules.match_length`, where it is asked for."""
    if rules.match_length is None:
        return []
    chosen, rejected = (pl.col(f"{side}_{rules.length_unit}") for side in SIDES)
    allowed = pl.max_horizontal(
        rules.match_length * pl.max_horizontal(chosen, rejected), pl.lit(float(rules.match_within))
    )
    told = pl.format(
        f"nearest to the strategy: {{}} and {{}} {rules.length_unit}", chosen, rejected
    )
    return [("length_unmatched", (chosen - rejected).abs() > allowed, told)]


def _first(cases: list[tuple[pl.Expr, pl.Expr]]) -> pl.Expr:
    """The value of the first case that holds; null where none does."""
    return pl.coalesce(pl.when(test).then(value) for test, value in cases)


def _unique(frame: pl.DataFrame) -> pl.DataFrame:
    """Name duplicate_pair every candidate whose pair an earlier place of the prompt already is."""
    if frame["place"].max() in (0, None):
        return frame
    order = ["place", "chosen_id", "rejected_id"]
    nth = pl.when(pl.col("rule").is_null()).then(1).cum_sum().over("pair_id", order_by=order)
    again = pl.col("rule").is_null() & (pl.col("nth") > 1)
    told = pl.format("the same texts as another candidate of the prompt: {}", "pair_id")
    return frame.with_columns(nth=nth).with_columns(
        rule=pl.when(again).then(pl.lit("duplicate_pair")).otherwise("rule"),
        detail=pl.when(again).then(told).otherwise("detail"),
    )


def as_pairs(kept: pl.DataFrame, iteration: str, rules: Rules) -> pl.DataFrame:
    """Candidates that stand as rows of the pairs table."""
    made = {"iteration": pl.lit(iteration), "strategy": pl.lit(rules.strategy)}
    sides = {side: _message(side) for side in SIDES}
    return kept.with_columns(flags(kept), **made, **sides, **_sampled()).select(PAIRS.names)


def _sampled() -> dict[str, pl.Expr]:
    """The columns of what was sampled; a side of another tokenizer than chosen's is text."""
    sha = pl.coalesce("chosen_template_sha", "rejected_template_sha")
    made = {"template_sha": sha}
    for side in SIDES:
        ids_ = pl.col(f"{side}_token_ids")
        known = (pl.col(f"{side}_template_sha") == sha) & (ids_.list.len() > 0)
        made[f"{side}_token_ids"] = pl.when(known).then(ids_)
        made[f"{side}_cut"] = pl.col(f"{side}_finish") == "length"
    return made


def _message(name: str) -> pl.Expr:
    struct = pl.struct(role=pl.lit("assistant"), content=pl.col(name))
    return pl.concat_list(struct).cast(MESSAGES)


def flags(kept: pl.DataFrame) -> pl.Series:
    """Oddities of a pair worth a look, and what people said of it, sorted: they drop nothing.

    Each row's marks as one number look its list up in a table of all of them: ten times as fast
    as a list made per row.
    """
    turned = pl.col("review").eq_missing(FLIPPED)
    raw = pl.col("chosen_reward") - pl.col("rejected_reward")
    longer = pl.max_horizontal("chosen_chars", "rejected_chars")
    shorter = pl.min_horizontal("chosen_chars", "rejected_chars")
    marks = {
        "length_gap": longer > LENGTH_GAP * shorter,
        "penalty_flipped": pl.when(turned).then(-raw).otherwise(raw) < 0,
        "review_accepted": pl.col("review") == KEPT,
        "review_flipped": turned,
        "small_margin": pl.col("margin").abs() < SMALL_MARGIN,
        "truncated_chosen": pl.col("chosen_finish") == "length",
        "truncated_rejected": pl.col("rejected_finish") == "length",
    }
    bits = [test.cast(pl.UInt32) * 2**place for place, test in enumerate(marks.values())]
    table = [
        [name for place, name in enumerate(marks) if code & 2**place]
        for code in range(2 ** len(marks))
    ]
    codes = kept.select(pl.sum_horizontal(bits)).to_series()
    return pl.Series("flags", table, dtype=pl.List(pl.String)).gather(codes)
