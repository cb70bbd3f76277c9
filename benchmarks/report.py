"""Writes what was measured: RESULTS.md for people, results.json for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import Series

OURS = "ours"


@dataclass(frozen=True, slots=True)
class Row:
    """One case with one peer. ``least`` is the bar: the peer's time over ours should be at least that."""

    case: str
    title: str
    peer: str
    engine: str
    series: Series
    least: float | None = None

    @property
    def ratio(self) -> float:
        """The peer's time over ours."""
        return self.series.ratio(self.engine)

    @property
    def reached(self) -> str:
        """Whether the bar is reached, in a word."""
        if self.least is None:
            return ""
        return "yes" if self.ratio >= self.least else "no"


def numbers(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """``{case: {peer: peer's time over ours}}``; rows without a case are for people only."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        if row.case:
            found.setdefault(row.case, {})[row.peer] = round(row.ratio, 3)
    return found


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| case | against | peer | ours | ratio | bar | reached |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        unit, ours = row.series.unit, row.series.median(OURS)
        bar = "" if row.least is None else f"{row.least:.2f}"
        lines.append(
            f"| {row.title} | {row.engine} | {row.series.median(row.engine):.3f} {unit} | {ours:.3f} {unit} "
            f"| {row.ratio:.2f} | {bar} | {row.reached} |"
        )
    return "\n".join(lines)


def summary(rows: Sequence[Row]) -> str:
    """How many bars are reached, and which are not."""
    barred = [row for row in rows if row.least is not None]
    missed = [
        f"{row.title} against {row.engine} ({row.ratio:.2f}, not {row.least:.2f})"
        for row in barred
        if row.reached == "no"
    ]
    text = f"{len(barred) - len(missed)} of {len(barred)} bars are reached."
    return text + (f" Missed: {'; '.join(missed)}." if missed else "")


def spread(rows: Sequence[Row]) -> str:
    """The smallest and largest round of each engine, one line per case."""
    lines, seen = [], set()
    for row in rows:
        if id(row.series) in seen:
            continue
        seen.add(id(row.series))
        parts = [f"{name} {min(found):.3f} to {max(found):.3f}" for name, found in row.series.rounds.items()]
        lines.append(f"- {row.title} ({row.series.unit}): " + "; ".join(parts))
    return "\n".join(lines)


def write(
    folder: Path, rows: Sequence[Row], facts: Sequence[tuple[str, str]], notes: Sequence[str], beyond: str = ""
) -> None:
    """Write both files; ``beyond`` is what people have to say about the figures."""
    text = [
        "# How fast the engine is",
        "Made by `make bench`. A ratio is the peer's time over ours, medians of interleaved rounds in one run: above 1 "
        "we are faster. A case in CPU seconds counts the engine's process and the one that asks it.",
        "\n".join(f"- {name}: {value}" for name, value in facts),
        table(rows),
        summary(rows),
        "## Smallest and largest round",
        spread(rows),
        "## Read this with it",
        "\n".join(f"- {note}" for note in notes),
        beyond.strip(),
    ]
    (folder / "RESULTS.md").write_text("\n\n".join(text).rstrip() + "\n", encoding="utf-8")
    (folder / "results.json").write_text(json.dumps(numbers(rows), indent=2) + "\n", encoding="utf-8")
