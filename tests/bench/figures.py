"""What benches measured, beside what it is compared with: one table, and the same as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measure; `beside` says what `baseline` is, and `goal` what the ratio (or, without one, the value) should
    stay below; above it where `at_least`."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    beside: str = ""
    goal: float | None = None
    at_least: bool = False

    @property
    def ratio(self) -> float | None:
        """The value in parts of the baseline."""
        return self.value / self.baseline if self.baseline else None

    @property
    def reached(self) -> bool | None:
        """Whether the goal was reached; None where there is none."""
        if self.goal is None:
            return None
        measured = self.value if self.ratio is None else self.ratio
        return measured >= self.goal if self.at_least else measured <= self.goal


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share (0.5, 0.99) of the values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def table(figures: Sequence[Figure]) -> list[str]:
    """The lines to print."""
    rows = [("measure", "value", "beside", "ratio", "goal")]
    rows += [_row(figure) for figure in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _row(figure: Figure) -> tuple[str, str, str, str, str]:
    beside = f"{figure.beside} {_number(figure.baseline, figure.unit)}" if figure.baseline else figure.beside
    ratio = f"{figure.ratio:.2f}" if figure.ratio is not None else ""
    sign, mark = "≥" if figure.at_least else "≤", {True: "✓", False: "✗", None: ""}[figure.reached]
    goal = f"{sign} {figure.goal:g} {mark}" if figure.goal is not None else ""
    return figure.name, _number(figure.value, figure.unit), beside, ratio, goal


def _number(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.2f} {unit}" if value < 100 else f"{value:.0f} {unit}"


def write_json(figures: Sequence[Figure], file: Path) -> None:
    """The same for programs."""
    values = [{**asdict(figure), "ratio": figure.ratio, "reached": figure.reached} for figure in figures]
    file.write_text(json.dumps(values, indent=2) + "\n")
