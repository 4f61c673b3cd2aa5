"""Which counts leave a jurisdiction: none below five, and none from which one below five follows.

What leaves is the total and, for each property alone (day, site, age band, sex, category,
outcome), how many encounters there are of each value. Tables of two properties together do not
leave: their lines and columns could be taken apart against each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

COUNT_MIN = 5
"""A count below this does not leave."""

Cells = Mapping[int | str, int]
"""Value of one property → how many encounters have it, at least 1."""


class Left(NamedTuple):
    """What leaves of one jurisdiction's counts."""

    total: int | None
    """None when it is below COUNT_MIN: then nothing else leaves either."""
    margins: dict[str, dict[int | str, int | None] | None]
    """By property: each value's count, None where it stays; None for all of a property when too
    little is in it to hide anything."""


def leaving(margins: Mapping[str, Cells]) -> Left:
    """Return what may leave of counts of the same encounters, by one property after another.

    Counts below COUNT_MIN stay. The total without the counts shown is the sum of those that stay;
    where that says what one of them is, the smallest of the others stay too, all that are equal. No
    value's name decides, so that whoever knows how it is chosen cannot tell who has which count.
    """
    totals = {sum(cells.values()) for cells in margins.values()}
    assert len(totals) <= 1, "counts of the same encounters"
    total = max(totals, default=0)
    if total < COUNT_MIN:
        return Left(None, dict.fromkeys(margins))
    return Left(total, {name: _shown(cells) for name, cells in margins.items()})


def _shown(cells: Cells) -> dict[int | str, int | None] | None:
    small = [n for n in cells.values() if n < COUNT_MIN]
    others = [n for n in cells.values() if n >= COUNT_MIN]
    bound = COUNT_MIN
    if small and not _hide(small):
        if not others:
            return None
        bound = min(others) + 1
    return {
        value: None if cells[value] < bound and small else cells[value]
        for value in sorted(cells, key=str)
    }


def _hide(small: list[int]) -> bool:
    """Whether the sum of small counts tells none of them, nor is a small count itself.

    Each is from 1 to COUNT_MIN - 1: a sum at either end says that all of them are.
    """
    ends = (len(small), len(small) * (COUNT_MIN - 1))
    return len(small) > 1 and sum(small) >= COUNT_MIN and sum(small) not in ends
