"""Ages as what is known of them: a day, an age band, or nothing; and rows of ages without gaps.

A band or an unknown age is a stretch of days. Whatever depends on a limit inside that stretch is
not decided from it (SAFETY 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from math import inf, nextafter
from typing import NamedTuple

from protocols.errors import SetupError
from protocols.guidelines.observations import observations

DAYS = {"d": 1.0, "w": 7.0, "mo": 30.4375, "y": 365.25}
"""Length of a unit of age in days."""

AGE_UNITS_MAX = 200
"""Largest number in front of a unit in a pack."""


class Side(Enum):
    """Where an age lies towards a limit; limits are half-open, so an age on it is from it on."""

    BELOW = "below"
    FROM = "from"
    SPANS = "spans"


class AgeSpan(NamedTuple):
    """What is known of an age: `since` <= age in days < `below`."""

    since: float
    below: float

    def side(self, limit_days: float) -> Side:
        """Return on which side of a limit the age is, as far as is known."""
        if self.below <= limit_days:
            return Side.BELOW
        return Side.FROM if self.since >= limit_days else Side.SPANS

    def meets(self, rows: Sequence[tuple[float, float]]) -> list[int]:
        """Return the positions of all rows (from, below) that the age may lie in."""
        return [
            at
            for at, (since, below) in enumerate(rows)
            if self.since < below and since < self.below
        ]

    @property
    def known(self) -> bool:
        """Whether anything is known of it."""
        return self.below != inf or self.since > 0

    @property
    def exact_days(self) -> float | None:
        """The age in days when it is one day, else None."""
        return self.since if self.below == nextafter(self.since, inf) else None


UNKNOWN = AgeSpan(0.0, inf)

_BAND_YEARS = {1: (0, 1), 2: (1, 5), 3: (5, 18), 4: (18, 65), 5: (65, None)}
"""The age bands of the WHO EMT minimum data set (SAFETY 2)."""


def of_days(days: float) -> AgeSpan:
    """Return a known age in days; below 0 counts as 0."""
    since = max(days, 0.0)
    return AgeSpan(since, nextafter(since, inf))


def of_band(band: int | None) -> AgeSpan:
    """Return the ages of a band by its digit; unknown for 9, None and any other."""
    years = _BAND_YEARS.get(band or 0)
    if years is None:
        return UNKNOWN
    since, below = years
    return AgeSpan(since * DAYS["y"], inf if below is None else below * DAYS["y"])


def of_shown(text: str) -> AgeSpan:
    """Return an age as boards show it: `34 y`, `22 mo`, a guess `~7 y`, a band `5-17 y`."""
    if text in _BANDS_SHOWN:
        return of_band(_BANDS_SHOWN[text])
    number, _, unit = text.removeprefix("~").partition(" ")
    if not (number.isascii() and number.isdecimal() and unit in DAYS):
        return UNKNOWN
    days = int(number) * DAYS[unit]
    return of_guess(days, DAYS[unit]) if text.startswith("~") else of_days(days)


def of_guess(days: float, unit: float) -> AgeSpan:
    """Return the ages that a guess may stand for: none of them is decided from alone (SAFETY 2).

    Args:
        days: The age that was guessed, in days.
        unit: Length in days of the unit it was said in.
    """
    off = max(days * observations().age.guess_percent / 100, unit)
    return AgeSpan(max(days - off, 0.0), days + off)


_BANDS_SHOWN = {"<1 y": 1, "1-4 y": 2, "5-17 y": 3, "18-64 y": 4, "65+ y": 5}


def days(text: str) -> float:
    """Return an age of a pack, such as `12 mo`, in days.

    Raises:
        SetupError: `bad_pack`.
    """
    number, _, unit = text.partition(" ")
    digits = number.isascii() and number.isdecimal() and len(number) <= 3
    if unit not in DAYS or not digits or int(number) > AGE_UNITS_MAX:
        raise SetupError("bad_pack", place=f"age {text!r}")
    return int(number) * DAYS[unit]


def row_days(since: str, below: str | None) -> tuple[float, float]:
    """Return the first day of a row and the first day after it, without end when None.

    Raises:
        SetupError: `bad_pack`.
    """
    return days(since), inf if below is None else days(below)


def row_faults(rows: Sequence[tuple[float, float]], *, whole: bool = True) -> list[str]:
    """Return what is wrong with rows of ages in order; empty when each age is in exactly one.

    Args:
        rows: Half-open, (from, below) in days.
        whole: Whether they have to begin at birth and never end.
    """
    wrong = [f"row {at + 1} is empty" for at, (since, below) in enumerate(rows) if since >= below]
    for at in range(1, len(rows)):
        if rows[at][0] > rows[at - 1][1]:
            wrong.append(f"gap before row {at + 1}")
        elif rows[at][0] < rows[at - 1][1]:
            wrong.append(f"row {at + 1} overlaps row {at}")
    if whole and rows and rows[0][0] != 0:
        wrong.append("gap before row 1")
    if whole and rows and rows[-1][1] != inf:
        wrong.append("gap after the last row")
    return wrong
