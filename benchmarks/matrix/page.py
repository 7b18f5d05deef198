"""The matrix as a page: a row a combination, and what was refused in its own words."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.matrix.running import Row

_HEAD = """\
# Tokenizers x templates x architectures

`python -m benchmarks.matrix` writes this page. Each row is a tiny random policy and reward model
behind a tokenizer and chat template, through the real stages: import, sample, score, pair, history,
reference, one step of DPO, evaluate. What the tables hold is compared with plain passes of
transformers over one sequence at a time, whose prompts and texts are encoded by
`tokenizer(apply_chat_template(...))`. A row holds where no difference is over 1e-4 (log-probs are
sums over a response) and every id of a side is the one that was sampled.

- **sampled**: sides of pairs that were sampled, and how many of these were cut at the limit.
- **text**: imported sides; *restated* are those whose template writes a past answer otherwise than
  it asks for one, where the answer follows the generation prompt.
- **log-prob**: largest difference of stored references, of sampled and of imported sides.
- **DPO**: difference of the first loss from ln 2, which is none if the trainer reads the same ids.
- **reward**, **KL**: differences of the stored scores, and of what `evaluate` reports.
- **contract**: what `prefloop contract` says of the checkpoint, by number, below.
"""
_COLUMNS = (
    "row", "tokenizer", "template", "architecture", "verdict", "sampled (cut)", "text (restated)",
    "log-prob sampled", "text", "DPO", "reward", "KL", "contract",
)  # fmt: skip
GAPS = ("sampled log-prob", "text log-prob", "first DPO loss - ln 2", "reward", "KL")


def line(row: Row) -> str:
    """One row in words, for the terminal."""
    told = f": {row.says}" if row.says else ""
    gaps = ", ".join(f"{name} {row.seen['gaps'][name]:.1e}" for name in GAPS if row.seen)
    sign = "" if row.expected else " (!)"
    return f"{row.name}: {row.verdict}{sign}{told}; {gaps} ({row.seconds} CPU s)"


def write(folder: Path, rows: Sequence[Row], whole: int) -> None:
    """Write matrix.md and matrix.json into a folder; the matrix has `whole` rows."""
    told = [asdict(row) for row in rows]
    text = json.dumps(told, indent=1, ensure_ascii=False)
    (folder / "matrix.json").write_text(text + "\n", "utf-8")
    (folder / "matrix.md").write_text(page(rows, whole), "utf-8")


def page(rows: Sequence[Row], whole: int) -> str:
    """The page of so many of the matrix's rows."""
    counts = Counter(row.verdict for row in rows)
    summary = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    gaps = [(row.seen["gaps"][name], row.name) for row in rows if row.seen for name in GAPS]
    worst, where = max(gaps, default=(0.0, "none"))
    promises = _promises(rows)
    parts = [
        _HEAD,
        f"{len(rows)} of {whole} rows: {summary}. The largest difference is {worst:.1e} ({where}); "
        f"{sum(row.seconds for row in rows) / 60:.0f} CPU minutes.\n",
        *_codes(rows),
        _table(rows, promises),
        "## Of the contract\n",
        _contract(rows, promises),
        "## Refused\n",
        *(f"- `{row.name}`: {row.says}\n" for row in rows if row.verdict == "refused"),
    ]
    wrong = [f"- `{row.name}`, {row.verdict}: {row.says}\n" for row in rows if not row.expected]
    return "\n".join([*parts, "## Not as it should be\n", *(wrong or ["Nothing.\n"])])


def _codes(rows: Sequence[Row]) -> list[str]:
    """Which rows were made by other code of the stages than most: --report takes these too."""
    counts = Counter(row.code for row in rows)
    if len(counts) < 2:
        return []
    (most, _), *others = counts.most_common()
    told = "\n".join(
        f"- code {code[:8]}: {', '.join(f'`{row.name}`' for row in rows if row.code == code)}"
        for code, _ in others
    )
    return [
        f"Most rows are of the stages' code {most[:8]} (a hash of it), and of another:\n\n{told}\n"
    ]


def _promises(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row.contract))


def _table(rows: Sequence[Row], promises: Sequence[str]) -> str:
    lines = [f"| {' | '.join(_COLUMNS)} |", "|---" * len(_COLUMNS) + "|"]
    return "\n".join([*lines, *(_cells(row, promises) for row in rows)]) + "\n"


def _cells(row: Row, promises: Sequence[str]) -> str:
    verdict = row.verdict if row.verdict == "holds" else f"**{row.verdict}**"
    cells = [row.name, row.tokenizer, row.template, row.architecture, verdict]
    if row.seen:
        seen = row.seen
        cells += [f"{seen['sampled']} ({seen['cut']})", f"{seen['told']} ({seen['restated']})"]
        cells += [f"{seen['gaps'][name]:.0e}" for name in GAPS]
    else:
        cells += [""] * (2 + len(GAPS))
    signs = {name: "**broken**" for name, told in row.contract.items() if told.startswith("broken")}
    cells.append(
        ", ".join(
            f"{promises.index(name) + 1} {signs.get(name, '')}".strip() for name in row.contract
        )
    )
    return f"| {' | '.join(cells)} |"


def _contract(rows: Sequence[Row], promises: Sequence[str]) -> str:
    """Each promise that not all keep, and what is said of it, with how many rows it is said of."""
    lines = []
    for number, name in enumerate(promises, start=1):
        said = Counter(row.contract[name] for row in rows if name in row.contract)
        lines.append(f"{number}. {name}")
        lines += [f"   - {told} ({count} rows)" for told, count in said.most_common(4)]
    return "\n".join(lines) + "\n"
