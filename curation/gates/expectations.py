"""Great Expectations over flat frames: suites as data, one run, Data Docs.

The library takes seconds to import, so only `validate` imports it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from great_expectations.data_context import EphemeralDataContext


@dataclass(frozen=True)
class Expectation:
    """One expectation: the library's class name, its arguments, the sentence behind it."""

    kind: str
    why: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


def _between(column: str, why: str, **bounds: object) -> Expectation:
    return Expectation("ExpectColumnValuesToBeBetween", why, {"column": column, **bounds})


def _unique(column: str) -> Expectation:
    return Expectation("ExpectColumnValuesToBeUnique", "One row per key.", {"column": column})


def _rows() -> Expectation:
    return Expectation("ExpectTableRowCountToBeBetween", "There are rows.", {"min_value": 1})


def _complete(*columns: str) -> list[Expectation]:
    return [
        Expectation("ExpectColumnValuesToNotBeNull", "Never null.", {"column": column})
        for column in columns
    ]


def per_source(max_drop_rate: float, longer: tuple[float, float]) -> list[Expectation]:
    """What holds for every source of a preference table or mix."""
    return [
        _rows(),
        *_complete("source", "pairs", "drop_rate", "chosen_longer_rate"),
        _between("pairs", "A source that gives nothing is misread.", min_value=1),
        _between("shortest_answer", "No answer is empty.", min_value=1),
        _between("prompt_chars", "Prompts have text.", min_value=1),
        _between("smallest_margin", "Margins are above zero.", min_value=0, strict_min=True),
        _between("turns", "A prompt has a turn.", min_value=1),
        _between("licenses", "A source has one licence.", min_value=1, max_value=1),
        _between("drop_rate", "params.gates.max_drop_rate.", min_value=0, max_value=max_drop_rate),
        _between(
            "chosen_longer_rate",
            "Labels that only follow length are no preferences (params.gates.chosen_longer_rate).",
            min_value=longer[0],
            max_value=longer[1],
        ),
        Expectation(
            "ExpectColumnPairValuesAToBeGreaterThanB",
            "There are no more prompts than pairs.",
            {"column_A": "pairs", "column_B": "prompts", "or_equal": True},
        ),
    ]


def scores(max_null_scores: float) -> list[Expectation]:
    """What holds for the scores of one iteration."""
    return [
        _rows(),
        *_complete("generation_id", "judge", "dtype"),
        Expectation(
            "ExpectCompoundColumnsToBeUnique",
            "One judgement per response and judge.",
            {"column_list": ["generation_id", "judge"]},
        ),
        Expectation(
            "ExpectColumnValuesToNotBeNull",
            "Few judgements failed (params.gates.max_null_scores).",
            {"column": "reward", "mostly": 1 - max_null_scores},
        ),
        Expectation(
            "ExpectColumnStdevToBeBetween",
            "Rewards vary: a constant judge is broken.",
            {"column": "reward", "min_value": 0, "strict_min": True},
        ),
        Expectation(
            "ExpectColumnValuesToBeInSet",
            "A judge computes in a known number type.",
            {"column": "dtype", "value_set": ["float32", "bfloat16", "float16", "float64"]},
        ),
    ]


def pairs() -> list[Expectation]:
    """What holds for the pairs of one iteration."""
    columns = ("pair_id", "prompt_id", "chosen_id", "rejected_id", "margin", "strategy")
    return [
        _rows(),
        *_complete(*columns),
        _unique("pair_id"),
        _between("margin", "The chosen response is better.", min_value=0, strict_min=True),
        _between("chosen_chars", "Lengths are counts.", min_value=0),
        _between("rejected_chars", "Lengths are counts.", min_value=0),
        Expectation(
            "ExpectColumnPairValuesAToBeGreaterThanB",
            "Order follows the adjusted reward.",
            {"column_A": "chosen_adjusted", "column_B": "rejected_adjusted"},
        ),
    ]


def validate(
    suite: str,
    frames: Mapping[str, tuple[pl.DataFrame, Sequence[Expectation]]],
    docs: str,
) -> dict[str, Any]:
    """Check every frame against its expectations and write Data Docs.

    Args:
        suite: name of the suite.
        frames: frame name -> the frame and what is expected of it.
        docs: folder the Data Docs site is written to.

    Returns:
        The report: per frame its rows and the result of each expectation; no times, so that the
        same frames give the same report.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    context = _context(docs)
    results = {
        name: _checkpoint(context, name, frame, expected)
        for name, (frame, expected) in sorted(frames.items())
    }
    context.build_data_docs()
    return {
        "suite": suite,
        "frames": results,
        "passed": all(one["passed"] for one in results.values()),
    }


def _context(docs: str) -> EphemeralDataContext:
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    context.delete_data_docs_site("local_site")
    store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": docs}
    index = {"class_name": "DefaultSiteIndexBuilder"}
    context.add_data_docs_site(
        "docs",
        {
            "class_name": "SiteBuilder",
            "show_how_to_buttons": False,
            "site_index_builder": index,
            "store_backend": store,
        },
    )
    return context


def _checkpoint(
    context: EphemeralDataContext, name: str, frame: pl.DataFrame, expected: Sequence[Expectation]
) -> dict[str, Any]:
    import great_expectations as gx

    source = context.data_sources.add_pandas(name)
    batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("all")
    suite = context.suites.add(gx.ExpectationSuite(name))
    for one in expected:
        made = getattr(gx.expectations, one.kind)(**one.arguments, meta={"notes": one.why})
        suite.add_expectation(made)
    definition = gx.ValidationDefinition(name=name, data=batch, suite=suite)
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(
            name=name,
            validation_definitions=[context.validation_definitions.add(definition)],
            actions=[],
            result_format="BASIC",
        )
    )
    found = checkpoint.run(batch_parameters={"dataframe": frame.to_pandas()})
    (result,) = found.run_results.values()
    rows = sorted((_told(one) for one in result.results), key=_place)
    return {"rows": frame.height, "passed": bool(result.success), "expectations": rows}


def _told(result: Any) -> dict[str, Any]:
    config = result.expectation_config
    arguments = {key: value for key, value in config.kwargs.items() if key != "batch_id"}
    error = result.exception_info.get("exception_message")
    return {
        "expectation": config.type,
        "arguments": arguments,
        "why": config.meta["notes"],
        "passed": bool(result.success),
        "violations": result.result.get("unexpected_count", 0 if result.success else 1),
        **({"error": str(error)} if error else {}),
    }


def _place(told: Mapping[str, Any]) -> tuple[str, str]:
    """Where a result stands in the report: the library gives them in no fixed order."""
    return told["expectation"], str(sorted(told["arguments"].items()))


def complaint(report: Mapping[str, Any]) -> str:
    """One line: the first expectation that failed, on which frame and column."""
    failed = [
        (name, one)
        for name, frame in report["frames"].items()
        for one in frame["expectations"]
        if not one["passed"]
    ]
    name, first = failed[0]
    what = ", ".join(f"{key}={value}" for key, value in first["arguments"].items())
    more = f"; {len(failed) - 1} more failed" if len(failed) > 1 else ""
    return (
        f"{name}: {first['expectation']}({what}) fails on {first['violations']} rows: "
        f"{first['why']}{more}"
    )
