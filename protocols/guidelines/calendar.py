"""Ages and intervals in whole days since 1970, by the calendar: when a child is nine months old.

Weeks are seven days. Months and years go by the date; where the day does not exist in that month,
the first of the next one counts, so that nobody is taken for older than they are.
Source: CDC, Clinical Decision Support for Immunization, logic specification, date rules (recalled).
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import NamedTuple

from protocols.errors import SetupError
from protocols.guidelines.ages import AGE_UNITS_MAX, DAYS

_EPOCH = date(1970, 1, 1).toordinal()
_PER = {"d": (1, 0), "w": (7, 0), "mo": (0, 1), "y": (0, 12)}
"""Days and months of a unit."""
YEAR_MAX = 9990
"""Dates beyond do not come back from anything a person typed."""


class Length(NamedTuple):
    """An age or an interval of a pack, such as `9 mo`."""

    text: str
    days: int
    months: int

    def after(self, day: int) -> int:
        """Return the day that lies so long after a day; both since 1970."""
        return _months_after(self.months, day) if self.months else day + self.days

    def latest_before(self, day: int) -> int:
        """Return the last day from which this length has passed on `day`.

        For an age: the latest birth with which somebody is that old on `day`.
        """
        if not self.months:
            return day - self.days
        end = date.fromordinal(day + _EPOCH)
        year, month = divmod(end.year * 12 + end.month - 1 - self.months, 12)
        try:
            return date(year, month + 1, end.day).toordinal() - _EPOCH
        except ValueError:
            # There is no such day in that month: from its last one this length ends sooner, from
            # the next day on it ends after `day`.
            return date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1).toordinal() - _EPOCH - 1

    @property
    def about(self) -> float:
        """Its length in days, a month taken as 30.4375 of them: to compare lengths by."""
        return self.days + self.months * DAYS["mo"]


@lru_cache(1 << 14)
def _months_after(months: int, day: int) -> int:
    """Return the day so many months after one: a drive asks the same of one child after another."""
    start = date.fromordinal(day + _EPOCH)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    year = min(year, YEAR_MAX)
    try:
        return date(year, month + 1, start.day).toordinal() - _EPOCH
    except ValueError:
        return date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1).toordinal() - _EPOCH


def length(text: str) -> Length:
    """Return an age or interval of a pack: a number, a space and d, w, mo or y.

    Raises:
        SetupError: `bad_pack`.
    """
    number, _, unit = text.partition(" ")
    digits = number.isascii() and number.isdecimal() and len(number) <= 3
    if unit not in _PER or not digits or int(number) > AGE_UNITS_MAX:
        raise SetupError("bad_pack", place=f"age {text!r}")
    days, months = _PER[unit]
    return Length(text, int(number) * days, int(number) * months)
