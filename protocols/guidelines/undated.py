"""Doses of which a card has only a month or a year: on which days they may have been given.

Of one such dose every day of its month is looked at. Of several, or of a year, it is the first and
the last day and those between at which some rule turns: of an age, of an interval to a dose whose
day is known, of the spacing of live vaccines. What differs between two of these is not sure and is
told so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from math import prod

from protocols.guidelines.schedules import Plan, Series, ages_of
from protocols.guidelines.verdicts import Born, Given

READINGS_MAX = 256
"""Ways in which the doses of one person are read together. Beyond, fewer days between the first
and the last are looked at, those at which a rule turns before the others."""


def involved(plan: Plan, series: Series, doses: Iterable[Given]) -> list[Given]:
    """Return the doses of no known day that bear on a series: its own, and live ones."""
    return [
        dose
        for dose in doses
        if dose.until is not None
        and (plan.counts(series, dose.vaccine) or _may_be_live(plan, dose.vaccine))
    ]


def settled(
    plan: Plan, series: Series, doses: Sequence[Given], born: Born, on_day: int | None = None
) -> Iterator[tuple[Given, ...]]:
    """Yield all doses with a day each, in every way that may come out otherwise for a series.

    Args:
        plan: As it is in use.
        series: One of its series.
        doses: All of one person.
        born: As far as it is known; nobody had a dose before.
        on_day: The day asked about; None: none is.
    """
    loose = involved(plan, series, doses)
    known = [dose.day for dose in doses if dose.until is None]
    asked = known if on_day is None else [*known, on_day]
    days = _thinned([_days(plan, series, dose, asked, born) for dose in loose])
    fixed = tuple(dose._replace(until=None) for dose in doses if dose not in loose)
    for chosen in product(*days):
        read = (dose._replace(day=day, until=None) for dose, day in zip(loose, chosen, strict=True))
        yield (*fixed, *read)


def _thinned(days: list[list[int]]) -> list[list[int]]:
    most = max((len(each) for each in days), default=0)
    while prod(map(len, days)) > READINGS_MAX and most > 2:
        most -= 1
        days = [each[:most] for each in days]
    while prod(map(len, days)) > READINGS_MAX:
        longest = next(at for at, each in enumerate(days) if len(each) > 1)
        days[longest] = days[longest][:1]
    return days


def _days(plan: Plan, series: Series, dose: Given, asked: Sequence[int], born: Born) -> list[int]:
    """Return first and last day of a dose, the days at which some rule turns, then the others.

    Args:
        plan: As it is in use.
        series: One of its series.
        dose: Of no known day.
        asked: Days of doses that are known, and the day asked about.
        born: As far as it is known.
    """
    assert dose.until is not None
    last = dose.until
    first = max(dose.day, born.first) if born.first <= last else dose.day
    settings = plan.schedule.schedule
    early, spacing = settings.early_days, settings.live_spacing_days
    turns: set[int] = set()
    for age in plan.limits(series):
        for birth in {born.first, born.last}:
            day = age.after(birth)
            turns |= {day - early - 1, day - early, day - 1, day}
    lengths = [ages_of(text) for text in _intervals(series)]
    for known in asked:
        turns |= {known - spacing, known - spacing + 1, known - 1, known, known + 1}
        turns |= {known + spacing - 1, known + spacing}
        for length in lengths:
            end, before = length.after(known), length.latest_before(known)
            turns |= {end - early - 1, end - early}
            turns |= {before, before + 1, before + early, before + early + 1}
    for target in tuple(turns):
        turns |= {target - spacing, target - spacing + 1}
        for length in lengths:
            before = length.latest_before(target)
            turns |= {before, before + 1}
    inside = sorted(day for day in turns if first < day < last)
    # Of one dose of a month every day is looked at; of several the days at which a rule turns.
    return list(dict.fromkeys((first, last, *inside, *range(first, last + 1))))


def _intervals(series: Series) -> set[str]:
    return {row.interval for each in series.course for row in each.dose if row.interval}


def _may_be_live(plan: Plan, code: str) -> bool:
    known = plan.vaccines.get(code)
    return known is None or known.kind == "live"
