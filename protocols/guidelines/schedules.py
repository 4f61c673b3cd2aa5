"""The form of a vaccination schedule: series, courses by the age at which they start, and rules.

A series is one thing to be protected against, with the vaccines that count for it. Its courses
divide the ages at which somebody may start; the first dose that counts chooses the course, and it
is never begun again. Each dose of a course has one rule: how old, how long after the one before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import msgspec

from protocols.errors import SetupError
from protocols.guidelines.calendar import Length, length
from protocols.guidelines.pack import PackHead, Status, read_pack, shipped
from protocols.guidelines.vaccines import (
    Reason,
    Vaccine,
    Vaccines,
    by_code,
    shipped_vaccines,
    vaccine_faults,
)
from protocols.guidelines.words import lacking

PREFIX = "schedule-"
"""Packs whose name begins so are schedules."""
ROUTINE = "schedule-routine"
OUTBREAK = "schedule-outbreak"

EARLY_DAYS_MAX = 4
"""A dose so many days early may count where a pack says so; never for live spacing (SAFETY 12)."""
DOSES_MAX = 12
SPACING_DAYS_MIN = 28
"""No pack may bring two injected live vaccines closer together than this (SAFETY 12)."""


class Settings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What holds for every series."""

    words: dict[str, str]
    live_spacing_days: int
    """Between two injected live vaccines that are not given on one day."""
    overdue_after: str
    """Since it is due, where a rule names no age."""
    early_days: int = 0
    """The four-day rule; 0 = not in force."""
    source: str = ""
    status: Status | None = None


class DoseRule(msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename={"since": "from"}):
    """When one dose of a course may be given."""

    number: int
    """Within the series, counted from 1; 0 = given beside it, such as a dose at birth."""
    since: str
    """Youngest age at which it is valid."""
    due: str | None = None
    """Age from which it is asked for; None = as soon as it would be valid."""
    overdue: str | None = None
    """Age from which it is late."""
    below: str | None = None
    """First age at which it is no longer given."""
    interval: str | None = None
    """Least time after the dose before."""
    counted: bool = True
    """Whether the course goes on to the next dose with it; a dose 0 does not."""
    offered: bool = True
    """False: it is recognised where somebody gave it, and never asked for."""
    antigens: tuple[str, ...] = ()
    """The vaccine has to hold these too."""
    offer: tuple[str, ...] = ()
    """What may be given, where that differs from the series."""
    source: str = ""
    status: Status | None = None


class Course(msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename={"since": "from"}):
    """The doses of who starts at some age."""

    dose: tuple[DoseRule, ...]
    since: str = "0 d"
    """Youngest age at the first counted dose."""
    below: str | None = None
    """First age at which nobody starts so any more."""


class Series(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a person is to be protected against."""

    id: str
    words: dict[str, str]
    course: tuple[Course, ...]
    offer: tuple[str, ...]
    """Codes of the vaccines that may be given for it, the usual one first."""
    antigens: tuple[str, ...] = ()
    """Every vaccine with all of these counts; empty = only those in `vaccines` do."""
    vaccines: tuple[str, ...] = ()
    one_of: str = ""
    """Of the series that share this word one is worked by: the one chosen, else the first."""
    optional: bool = False
    """Only where somebody chose it, as in some regions or a campaign."""
    campaign: bool = False
    """Doses before the first day of the campaign do not count towards it."""
    source: str = ""
    status: Status | None = None


class Schedule(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A national schedule, or one for an outbreak."""

    pack: PackHead
    schedule: Settings
    series: tuple[Series, ...]
    vaccine: tuple[Vaccine, ...] = ()
    """Vaccines that only this schedule knows, or knows otherwise."""
    languages: dict[str, str] = {}

    def of_id(self, series: str) -> Series | None:
        """Return a series by its id."""
        return next((row for row in self.series if row.id == series), None)


@dataclass(frozen=True, eq=False, repr=False)
class Plan:
    """A schedule with the vaccines it speaks of: what doses are judged by."""

    schedule: Schedule
    vaccines: Mapping[str, Vaccine]
    """By local code."""
    reasons: tuple[Reason, ...]
    reasons_from: PackHead
    """The pack that says who must not have which vaccine."""
    _limits: dict[str, tuple[Series, tuple[Length, ...]]] = field(default_factory=dict, init=False)
    """What `limits` said of a series, by its id: a plan is worked by for every child of a day."""

    def limits(self, series: Series) -> tuple[Length, ...]:
        """Return every age that anything of a series depends on, each once."""
        known = self._limits.get(series.id)
        if known is None or known[0] is not series:
            known = self._limits[series.id] = series, self._ages(series)
        return known[1]

    def _ages(self, series: Series) -> tuple[Length, ...]:
        rows = [row for each in series.course for row in each.dose]
        found = {text for row in rows for text in (row.since, row.due, row.overdue, row.below)}
        found |= {text for each in series.course for text in (each.since, each.below)}
        counting = [each for each in self.vaccines.values() if self.counts(series, each.code)]
        found |= {text for each in counting for text in (each.since, each.below)}
        return tuple(ages_of(text) for text in sorted({each for each in found if each} | {"0 d"}))

    def counts(self, series: Series, code: str) -> bool:
        """Whether a vaccine counts for a series."""
        known = self.vaccines.get(code)
        if known is None:
            return False
        if code in series.vaccines:
            return True
        return bool(series.antigens) and set(series.antigens) <= set(known.antigens)

    def chosen(self, choose: Iterable[str] = ()) -> list[Series]:
        """Return the series worked by, in the order of the pack.

        Args:
            choose: Ids of optional series, and of series instead of the first of their like.
        """
        wanted = set(choose)
        taken = {row.one_of: row.id for row in reversed(self.schedule.series) if not row.optional}
        taken |= {row.one_of: row.id for row in self.schedule.series if row.id in wanted}
        return [
            row
            for row in self.schedule.series
            if (row.id in wanted or not row.optional)
            and (not row.one_of or taken.get(row.one_of) == row.id)
        ]


def plan(schedule: Schedule, vaccines: Vaccines) -> Plan:
    """Return a schedule and the vaccines it is judged with; its own rows come before theirs.

    A vaccine that came with the software stays known when another pack is used: a schedule may
    offer it, and somebody may have had it.
    """
    known = by_code((*shipped_vaccines().vaccine, *vaccines.vaccine, *schedule.vaccine))
    return Plan(schedule, known, vaccines.reason, vaccines.pack)


@cache
def ages_of(text: str) -> Length:
    """Return a length of a checked pack."""
    return length(text)


# reading the pack

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)


def check(pack: Schedule) -> list[str]:
    """Return what is wrong with a pack, one sentence each; empty when nothing is."""
    found = pack.schedule
    wrong = [f"schedule: no words in {each}" for each in lacking(found.words)]
    if not 0 <= found.early_days <= EARLY_DAYS_MAX:
        wrong.append(f"schedule: early_days is 0 to {EARLY_DAYS_MAX}")
    if found.live_spacing_days < SPACING_DAYS_MIN:
        wrong.append(f"schedule: live_spacing_days is at least {SPACING_DAYS_MIN}")
    wrong += _length_faults("schedule", "overdue_after", found.overdue_after)
    wrong += vaccine_faults(pack.vaccine)
    vaccines = by_code((*shipped_vaccines().vaccine, *pack.vaccine))
    ids = [row.id for row in pack.series]
    for at, row in enumerate(pack.series):
        place = f"series: {row.id}"
        if not _ID.fullmatch(row.id):
            wrong.append(f"{place}: id is small letters, digits and -")
        if row.id in ids[:at]:
            wrong.append(f"series: row {at + 1}: {row.id} stands there twice")
        wrong += [f"{place}: no words in {each}" for each in lacking(row.words)]
        wrong += _vaccine_faults(place, row, vaccines)
        wrong += _course_faults(place, row.course)
    if not pack.series:
        wrong.append("series is missing")
    return wrong


def _vaccine_faults(place: str, row: Series, vaccines: Mapping[str, Vaccine]) -> Iterable[str]:
    if not row.offer:
        yield f"{place}: offer is missing"
    if bool(row.antigens) == bool(row.vaccines):
        yield f"{place}: needs either antigens or vaccines"
    of_doses = [code for each in row.course for dose in each.dose for code in dose.offer]
    for code in dict.fromkeys((*row.offer, *row.vaccines, *of_doses)):
        if code not in vaccines:
            yield f"{place}: no vaccine is called {code}"
        elif row.antigens and not set(row.antigens) <= set(vaccines[code].antigens):
            yield f"{place}: {code} holds not all its antigens"
        elif row.vaccines and code not in row.vaccines:
            yield f"{place}: {code} is offered and does not count"


def _course_faults(place: str, courses: Sequence[Course]) -> Iterable[str]:
    if not courses:
        yield f"{place}: course is missing"
    wrong = [
        what
        for at, course in enumerate(courses, 1)
        for what in _dose_faults(f"{place}: course: row {at}", course)
    ]
    yield from wrong
    if wrong:
        return
    for at in range(1, len(courses)):
        before, after = courses[at - 1].below, courses[at].since
        if before is None or ages_of(before).about != ages_of(after).about:
            yield f"{place}: course: row {at + 1}: from is not where the course before ends"
    for at, course in enumerate(courses, 1):
        if course.below and ages_of(course.since).about >= ages_of(course.below).about:
            yield f"{place}: course: row {at}: below is not after from"


def _dose_faults(place: str, course: Course) -> Iterable[str]:
    yield from _length_faults(place, "from", course.since)
    yield from _length_faults(place, "below", course.below)
    counted = [dose.number for dose in course.dose if dose.counted]
    first = counted[0] if counted else 0
    if first < 1 or counted != [*range(first, first + len(counted))]:
        yield f"{place}: numbers of counted doses follow each other from 1"
    if len(course.dose) > DOSES_MAX:
        yield f"{place}: has more than {DOSES_MAX} doses"
    for at, dose in enumerate(course.dose, 1):
        row = f"{place}: dose: row {at}"
        wrong = [
            what
            for name, text in (
                ("from", dose.since),
                ("due", dose.due),
                ("overdue", dose.overdue),
                ("below", dose.below),
                ("interval", dose.interval),
            )
            for what in _length_faults(row, name, text)
        ]
        yield from wrong
        if wrong:
            continue
        yield from _order_faults(row, dose)
        if dose.counted != (dose.number > 0):
            yield f"{row}: counted is false for a dose 0 and for no other"
        if dose.counted and dose.number > first and dose.interval is None:
            yield f"{row}: interval is missing"


def _order_faults(row: str, dose: DoseRule) -> Iterable[str]:
    ages = [
        (name, ages_of(text).about)
        for name, text in (("from", dose.since), ("due", dose.due), ("overdue", dose.overdue))
        if text is not None
    ]
    for (before, one), (after, two) in pairwise(ages):
        if two < one:
            yield f"{row}: {after} is before {before}"
    if dose.below is not None and any(age >= ages_of(dose.below).about for _, age in ages[:2]):
        yield f"{row}: below is not after from"
    if not dose.counted and dose.below is None:
        yield f"{row}: below is missing: a dose 0 has an end"


def _length_faults(place: str, name: str, text: str | None) -> list[str]:
    if text is None:
        return []
    try:
        length(text)
    except SetupError:
        return [f"{place}: {name} is {text!r}, which is no age such as 6 w or 9 mo"]
    return []


def read_schedule(text: str) -> Schedule:
    """Return a checked pack.

    Raises:
        SetupError: `bad_pack`, with what is wrong first.
    """
    pack = read_pack(text, Schedule)
    wrong = check(pack)
    if wrong:
        raise SetupError("bad_pack", place=wrong[0])
    return pack


@cache
def shipped_schedule(name: str = ROUTINE) -> Schedule:
    """Return a pack that comes with the software, `ROUTINE` or `OUTBREAK`."""
    return shipped(name, Schedule)


@cache
def shipped_plan(name: str = ROUTINE) -> Plan:
    """Return a schedule that comes with the software, with the vaccines that do."""
    return plan(shipped_schedule(name), shipped_vaccines())
