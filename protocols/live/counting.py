"""Calls of the local socket about what is counted, and under whose law."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from protocols.ledger import counting
from protocols.ledger.counting import UNSTATED
from protocols.live.crossing import CountLine
from protocols.live.members import Reader
from protocols.mesh.effects import Now
from protocols.mesh.node import Node
from protocols.records.counted import DAY_MS

SEXES = {1: "male", 2: "female", 3: "pregnant", 9: "unknown"}
"""Digits of the minimum data set."""
BANDS = {1: "under 1 y", 2: "1-4 y", 3: "5-17 y", 4: "18-64 y", 5: "65 y and over", 9: "unknown"}


def listed(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    """How many encounters there are, by law and by each property alone."""
    return [
        CountLine(
            each.jurisdiction,
            each.home,
            each.left.total,
            {
                name: None
                if cells is None
                else [(_value(name, value), cells[value]) for value in sorted(cells, key=_order)]
                for name, cells in each.left.margins.items()
            },
        )
        for each in counting.counts(node.ledger)
    ]


def _order(value: int | str) -> tuple[bool, int, str]:
    number = value if isinstance(value, int) else 0
    return value == UNSTATED, number, str(value)


def _value(name: str, value: int | str) -> str:
    if not isinstance(value, int):
        return value
    if name == "day":
        return datetime.fromtimestamp(value * DAY_MS / 1000, UTC).date().isoformat()
    words = {"sex": SEXES, "band": BANDS}.get(name, {})
    return words.get(value, UNSTATED)


READS: dict[str, Reader] = {"counts": listed}
