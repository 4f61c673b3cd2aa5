"""When somebody may have been born, while people say different things of it (SAFETY 2).

One of them says 14 years and another one 40: whatever is scored or dosed by an age takes neither
for true until somebody settles it. A limit that both are on one side of is decided all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor, inf
from typing import Any

from protocols.guidelines.ages import DAYS, of_band, of_guess
from protocols.records import attributes as names
from protocols.records.attributes import AGE_WORDS, Age, Band
from protocols.records.history import History
from protocols.records.moment import IMPLAUSIBLE_BEFORE_MS

Between = tuple[int, int]
"""Born after the first day and on the second one at the latest, counted from 1970-01-01."""

ANY_DAY: Between = (-(10**6), 10**6)
"""Of whom nothing is known."""

_DAY_MS = 86_400_000


def born_apart(history: History) -> Between | None:
    """Return the days on which the patient may have been born by any of what is said.

    A date of birth comes before an age, and that before a band, as on boards.

    Returns:
        None while nobody differs about what the age is taken from.
    """
    if not history.contested:
        return None
    dates = _different(history, names.BIRTH_DATE)
    ages = _different(history, names.AGE)
    if dates not in ([], [None]):
        if len(dates) < 2:
            return None
        found = [_of_date(stored) for stored in dates if stored is not None]
        # Somebody took the date away: then it is as old as somebody says, or of any age.
        return _hull([*found, *(map(_of_age, ages or [None]) if None in dates else ())])
    if ages not in ([], [None]):
        return _hull(map(_of_age, ages)) if len(ages) > 1 else None
    said = [one for one in history.now.get((None, names.BAND), ()) if one.value != Band.UNKNOWN]
    if len({one.value for one in said}) < 2:
        return None
    return _hull(_of_band(one.value, one.fact.at_ms) for one in said)


def _different(history: History, number: int) -> list[Any]:
    return list(dict.fromkeys(said.value for said in history.now.get((None, number), ())))


def _hull(found: Iterable[Between]) -> Between:
    stretches = list(found)
    return min(first for first, _ in stretches), max(last for _, last in stretches)


def _of_date(stored: int) -> Between:
    text = names.date_text(stored)
    if not text:
        return ANY_DAY
    first = names.first_day(stored)
    return first - 1, first - 1 + ceil({4: DAYS["y"], 7: DAYS["mo"]}.get(len(text), 1.0))


def _of_age(age: Age | None) -> Between:
    unit = 0.0 if age is None else DAYS.get(AGE_WORDS.get(age.unit, ""), 0.0)
    if age is None or not unit or age.day <= 0:
        return ANY_DAY
    stated = age.value * unit
    since, below = of_guess(stated, unit) if age.estimated else (stated, stated + unit)
    return age.day - floor(below), age.day - ceil(since)


def _of_band(digit: int | None, at_ms: int) -> Between:
    since, below = of_band(digit)
    if at_ms < IMPLAUSIBLE_BEFORE_MS:
        return ANY_DAY
    day = at_ms // _DAY_MS
    return (ANY_DAY[0] if below == inf else day - floor(below)), day - ceil(since)
