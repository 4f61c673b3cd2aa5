"""One figure, what it came to, and the table of all of them."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REASON_CHARS_MAX = 200
"""Of what is told of a figure that broke: one row of the table."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One measured value beside what it must and should be; smaller is better everywhere."""

    name: str
    value: float
    unit: str
    """`x` is a ratio to the floor measured in the same run."""
    must: float
    goal: float
    parts: dict[str, float] = field(default_factory=dict)
    """What the value was made of, by name with the unit last."""

    @property
    def verdict(self) -> str:
        """`goal`, `must` or `MISSED`."""
        return (
            "goal" if self.value <= self.goal else "must" if self.value <= self.must else "MISSED"
        )


@dataclass(frozen=True, slots=True)
class Figure:
    """Something to measure; may give several readings of one run."""

    name: str
    measure: Callable[[Any], Sequence[Reading]]


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A figure that was asked for and could not be measured, and why.

    It counts as missed: a figure that breaks must not look like one that is reached.
    """

    name: str
    reason: str
    verdict: str = "MISSED"


def measured(figure: Figure, bench: Any) -> list[Reading | Unmeasured]:
    """Return what a figure came to; one that cannot be taken must not hide the others."""
    try:
        return list(figure.measure(bench))
    except Exception as error:
        return [Unmeasured(figure.name, f"{type(error).__name__}: {error}"[:REASON_CHARS_MAX])]


def exit_code(found: Iterable[Reading | Unmeasured]) -> int:
    """Return 1 when anything that was asked for missed what it must reach, or was not measured."""
    return int(any(each.verdict == "MISSED" for each in found))


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    models = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "os": f"{platform.system()} {platform.release()}",
        "load": round(os.getloadavg()[0], 2),
    }


def as_json(readings: Iterable[Reading | Unmeasured], on: dict[str, Any]) -> dict[str, Any]:
    """Return everything for another program."""
    figures: list[dict[str, Any]] = []
    for each in readings:
        if isinstance(each, Unmeasured):
            figures.append({"name": each.name, "unmeasured": each.reason, "verdict": each.verdict})
            continue
        figures.append(
            {
                "name": each.name,
                "value": each.value,
                "unit": each.unit,
                "must": each.must,
                "goal": each.goal,
                "verdict": each.verdict,
                "parts": each.parts,
            }
        )
    return {"machine": on, "figures": figures}


def line(each: Reading | Unmeasured) -> str:
    """Return one row of the table people read."""
    if isinstance(each, Unmeasured):
        return f"| {each.name} | - | | | {each.verdict} | not measured: {each.reason} |"
    parts = ", ".join(f"{name} {_short(value)}" for name, value in each.parts.items())
    values = [f"{_short(value)} {each.unit}" for value in (each.value, each.must, each.goal)]
    return f"| {each.name} | {' | '.join(values)} | {each.verdict} | {parts} |"


def heading(on: dict[str, Any]) -> str:
    """Return the machine and the head of the table."""
    return (
        f"{on['cpu']}, {on['cores']} cores, Python {on['python']}, {on['os']},"
        f" load {on['load']} when it began\n\n"
        "| figure | value | must | goal | verdict | of which |\n|---|---|---|---|---|---|"
    )


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
