"""A birth as a stretch of days: from a date in any precision, a stated age, a band or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from math import ceil, inf

from protocols.guidelines.ages import AgeSpan
from protocols.guidelines.calendar import Length, length
from protocols.guidelines.verdicts import Born

LIFE_DAYS = 130 * 366
"""Nobody was born earlier: where an age is not known at all, a birth lies within so many days."""

_DAYS = {"d": 1, "w": 7, "mo": 28, "y": 365}
"""Days that a unit has at least."""
_EPOCH = date(1970, 1, 1).toordinal()
_PARTS = (10, 7, 4)
"""Characters of a date with day, with month, and of a year alone."""


def born_on(day: int) -> Born:
    """Return a birth whose day is known."""
    return Born(day, day)


def born_of_date(text: str) -> Born | None:
    """Return a birth as `YYYY-MM-DD`, `YYYY-MM` or `YYYY`; None when it is no such date."""
    if len(text) not in _PARTS:
        return None
    try:
        first = date.fromisoformat(f"{text}-01-01"[:10] if len(text) == 4 else f"{text}-01"[:10])
    except ValueError:
        return None
    start = first.toordinal() - _EPOCH
    whole = {10: length("1 d"), 7: length("1 mo"), 4: length("1 y")}[len(text)]
    return Born(start, whole.after(start) - 1)


def born_stated(number: int, unit: str, on_day: int, *, estimated: bool) -> Born:
    """Return the birth of somebody whose age was stated on a day in whole units.

    Args:
        number: Completed units, 0 or more.
        unit: `d`, `w`, `mo` or `y`.
        on_day: The day it was stated.
        estimated: It may then be one unit less or more: our margin, there is no source for any.
    """
    margin, most = (1 if estimated else 0), LIFE_DAYS // _DAYS[unit]
    # Nobody is older: a number that no form would take must not stop whoever reads the record.
    number = min(number, most)
    youngest, oldest = _units(max(number - margin, 0), unit), _units(number + 1 + margin, unit)
    return Born(oldest.latest_before(on_day) + 1, youngest.latest_before(on_day))


def born_of_age(age: AgeSpan, on_day: int) -> Born:
    """Return the birth of somebody whose age on a day is known as far as `age` says."""
    last = on_day - ceil(age.since)
    if age.exact_days is not None:
        return born_on(last)
    oldest = LIFE_DAYS if age.below == inf else ceil(age.below) - 1
    return Born(min(on_day - oldest, last), last)


def narrowed(born: Born, days: Iterable[int]) -> Born:
    """Return a birth that is not known to the day as it must have been by some days.

    Args:
        born: As far as it is stated.
        days: On which the person had a dose, or stood here. One before the whole stretch narrows
            nothing: one of the two dates is wrong.
    """
    first_seen = min(days, default=born.last)
    if first_seen < born.first:
        return born
    return Born(born.first, min(born.last, first_seen))


def _units(number: int, unit: str) -> Length:
    one = length(f"1 {unit}")
    return Length(f"{number} {unit}", one.days * number, one.months * number)
