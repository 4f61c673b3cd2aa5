"""Numbers over time as one row of signs, oldest first; what was not measured is a gap."""

from __future__ import annotations

from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = "_.,-'^"
"""For terminals that have no blocks: from low to high on the line."""

GAP = " "
LOST = "x"
"""Tried and not to be had."""


def sparkline(
    values: Sequence[float | None], width: int, *, plain: bool, lost: frozenset[int] = frozenset()
) -> str:
    """Return the last `width` values as signs between the lowest and the highest of them.

    Args:
        values: Oldest first; None for what was not measured.
        width: Most signs.
        plain: Whether only ASCII may be drawn.
        lost: Places in `values` of what could not be recorded.
    """
    first = max(len(values) - max(width, 0), 0)
    shown = list(enumerate(values))[first:]
    known = [value for at, value in shown if value is not None and at not in lost]
    signs = PLAIN if plain else BLOCKS
    if not known:
        return "".join(LOST if at in lost else GAP for at, _ in shown)
    low, high = min(known), max(known)
    return "".join(_sign(at, value, low, high, signs, lost) for at, value in shown)


def _sign(
    at: int, value: float | None, low: float, high: float, signs: str, lost: frozenset[int]
) -> str:
    if at in lost:
        return LOST
    if value is None:
        return GAP
    if high == low:
        return signs[len(signs) // 2]
    step = round((value - low) / (high - low) * (len(signs) - 1))
    return signs[max(0, min(step, len(signs) - 1))]
