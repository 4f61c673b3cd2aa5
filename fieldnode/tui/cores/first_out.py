"""Which lots leave first: what expires first, as far as it is free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Free(NamedTuple):
    """One lot that may be given, and how many units of it nobody else is promised."""

    lot: str
    sure: int
    """There for certain; below 0 where more is promised than is there."""
    most: int
    """There at most; at least `sure`."""


def first_out(lots: Sequence[Free], units: int) -> list[tuple[str, int]]:
    """Return lots and how much of each, first of what is certain, then of what may be there.

    What is beyond all of them is of the last lot that gives, so that whoever sends it is asked
    about it; of no stated lot where there is none to give. The sum is always `units`.

    Args:
        lots: In the order in which they go, what expires first the first.
        units: To be sent, above 0.
    """
    taken = dict.fromkeys((each.lot for each in lots), 0)
    left = units
    for limit in ("sure", "most"):
        for each in lots:
            more = min(left, max(getattr(each, limit) - taken[each.lot], 0))
            taken[each.lot] += more
            left -= more
    if left:
        last = next((lot for lot in reversed(taken) if taken[lot]), next(iter(taken), ""))
        taken[last] = taken.get(last, 0) + left
    return [(lot, n) for lot, n in taken.items() if n]
