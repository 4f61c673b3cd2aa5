"""One series for one day of birth: which doses count, and what comes next.

Source of the rules: the WHO summary tables for routine immunization. A dose that does not count
moves nothing: the next interval runs from the last dose that did. Two injected live vaccines are
given on one day or keep their distance, whether or not the first one counted (SAFETY 12).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from protocols.guidelines.schedules import Course, DoseRule, Plan, Series, ages_of
from protocols.guidelines.vaccines import Vaccine
from protocols.guidelines.verdicts import DoseState, DueState, Given, Rule, RuleName


class World(NamedTuple):
    """What is taken as true while one series is judged."""

    birth: int
    live_days: tuple[int, ...]
    """When injected live vaccines were given, in order, each day once."""
    campaign_day: int | None = None
    """First day of the campaign, for a series of one; what came before does not count."""


class Judged(NamedTuple):
    """What one dose is."""

    state: DoseState
    number: int
    rules: tuple[Rule, ...]


class Standing(NamedTuple):
    """How far a series is."""

    course: Course | None
    """None until a dose counts."""
    done: int
    """Doses of the course that count."""
    last: int | None
    """Day from which the next interval runs: of the last dose that counts or stands beside."""
    beside: bool
    """Whether a dose 0 was given."""


class Outlook(NamedTuple):
    """What comes next."""

    state: DueState
    number: int
    doses: int
    day: int | None
    overdue_day: int | None
    offer: tuple[str, ...]
    rules: tuple[Rule, ...]


def judge(
    plan: Plan, series: Series, world: World, doses: Sequence[Given]
) -> tuple[list[Judged], Standing]:
    """Return what each dose of a series is, in their order, and how far that brings it.

    Args:
        plan: As it is in use.
        series: One of its series.
        world: What is taken as true.
        doses: Those that belong to the series, in the order they were given.
    """
    now = Standing(None, 0, None, beside=False)
    counted: set[int] = set()
    found = []
    for dose in doses:
        judged, now = _one(plan, series, world, dose, now, counted)
        if judged.state in ("valid", "beside"):
            counted.add(dose.day)
        found.append(judged)
    return found, now


def _one(
    plan: Plan,
    series: Series,
    world: World,
    dose: Given,
    now: Standing,
    counted: Collection[int],
) -> tuple[Judged, Standing]:
    if dose.day < world.birth:
        return Judged("invalid", 0, (_rule(plan, series, "before-birth"),)), now
    if world.campaign_day is not None and dose.day < world.campaign_day:
        rule = _rule(plan, series, "before-campaign")
        return Judged("uncounted", 0, (rule,)), now._replace(last=dose.day)
    if dose.day in counted:
        return Judged("invalid", 0, (_rule(plan, series, "same-day"),)), now
    course = now.course or _course_at(series, world, dose.day)
    rows = _counted(course)
    if now.done >= len(rows):
        return Judged("uncounted", 0, (_rule(plan, series, "complete", rows[-1]),)), now
    row = rows[now.done]
    wrong = _faults(plan, series, world, dose, row, now)
    if now.course is None and not wrong:
        wrong = _start_faults(plan, series, course, world, dose)
    if not wrong:
        met = _rule(plan, series, "dose", row, row.since)
        return Judged("valid", row.number, (met,)), Standing(
            course, now.done + 1, dose.day, now.beside
        )
    if now.course is None:
        for zero in _beside(course):
            if not _faults(plan, series, world, dose, zero, now):
                met = _rule(plan, series, "dose", zero, zero.since)
                return Judged("beside", 0, (met,)), now._replace(last=dose.day, beside=True)
    return Judged("invalid", 0, wrong), now


def _course_at(series: Series, world: World, day: int) -> Course:
    """Return the course of who starts on a day: the last one that has begun by then."""
    begun = [row for row in series.course if ages_of(row.since).after(world.birth) <= day]
    return begun[-1] if begun else series.course[0]


def _counted(course: Course) -> list[DoseRule]:
    return [row for row in course.dose if row.counted]


def _beside(course: Course) -> list[DoseRule]:
    return [row for row in course.dose if not row.counted]


def _start_faults(
    plan: Plan, series: Series, course: Course, world: World, dose: Given
) -> tuple[Rule, ...]:
    if course.below is None or dose.day < ages_of(course.below).after(world.birth):
        return ()
    return (_rule(plan, series, "max-age", _counted(course)[0], course.below),)


def _faults(
    plan: Plan, series: Series, world: World, dose: Given, row: DoseRule, now: Standing
) -> tuple[Rule, ...]:
    """Return every rule that a dose fails as the dose of a row."""
    settings = plan.schedule.schedule
    early = settings.early_days
    wrong = []
    if ages_of(row.since).after(world.birth) - early > dose.day:
        wrong.append(_rule(plan, series, "min-age", row, row.since))
    if row.below is not None and ages_of(row.below).after(world.birth) <= dose.day:
        wrong.append(_rule(plan, series, "max-age", row, row.below))
    earliest = _interval_day(now, row)
    if earliest is not None and earliest - early > dose.day:
        wrong.append(_rule(plan, series, "interval", row, row.interval or ""))
    vaccine = plan.vaccines[dose.vaccine]
    if not set(row.antigens) <= set(vaccine.antigens):
        wrong.append(_rule(plan, series, "vaccine", row, "+".join(row.antigens)))
    if ages_of(vaccine.since).after(world.birth) - early > dose.day:
        wrong.append(_rule(plan, series, "vaccine", row, vaccine.since))
    if vaccine.kind == "live" and allowed(plan, world, dose.day) != dose.day:
        wrong.append(spacing_rule(plan, series, row))
    return tuple(wrong)


def allowed(plan: Plan, world: World, day: int) -> int:
    """Return the first day from one on that keeps an injected live vaccine's distance."""
    spacing = plan.schedule.schedule.live_spacing_days
    for other in world.live_days:
        if other < day < other + spacing:
            day = other + spacing
    return day


def outlook(
    plan: Plan,
    series: Series,
    world: World,
    now: Standing,
    on_day: int,
    barred: Collection[str] = (),
) -> Outlook:
    """Return what a series needs on a day.

    Args:
        plan: As it is in use.
        series: One of its series.
        world: What is taken as true.
        now: How far the series is.
        on_day: The day asked about.
        barred: Codes of the vaccines that this person must not have.
    """
    asked = _Asked(plan, series, world, now, on_day, barred)
    if now.course is not None:
        rows = _counted(now.course)
        if now.done >= len(rows) or not rows[now.done].offered:
            row = rows[now.done - 1]
            rule = _rule(plan, series, "complete", row)
            return Outlook("complete", row.number, len(rows), None, None, (), (rule,))
        return _next(asked, rows[now.done], now.course)
    for course in series.course:
        for row in _beside(course) if not now.beside else ():
            found = _next(asked, row, course)
            if row.offered and found.state != "too-old" and not _would_count(asked, course, found):
                return found
        found = _next(asked, _counted(course)[0], course)
        if found.state != "too-old":
            return _late(asked, found)
    return found


def _would_count(asked: _Asked, course: Course, found: Outlook) -> bool:
    """Whether the four-day rule would make a dose 0 the first one: then that one is waited for."""
    early = asked.plan.schedule.schedule.early_days
    since = ages_of(_counted(course)[0].since).after(asked.world.birth)
    return max(found.day or 0, asked.on_day) >= since - early


class _Asked(NamedTuple):
    """What `outlook` was asked."""

    plan: Plan
    series: Series
    world: World
    now: Standing
    on_day: int
    barred: Collection[str]


def _late(asked: _Asked, found: Outlook) -> Outlook:
    """Make what nobody started overdue since the first course was, whichever course is left."""
    if found.state not in ("due", "overdue"):
        return found
    first = _counted(asked.series.course[0])[0]
    due_day = _due_day(asked.world, asked.now, first)
    first_day = _overdue_day(asked.plan, asked.world, first, due_day)
    late_day = first_day if found.overdue_day is None else min(first_day, found.overdue_day)
    state: DueState = "overdue" if asked.on_day >= late_day else "due"
    return found._replace(state=state, overdue_day=late_day)


def _next(asked: _Asked, row: DoseRule, course: Course) -> Outlook:
    """Return when the dose of a row comes, for whoever is in a course or would start it."""
    plan, series, world, now, on_day, barred = asked
    codes = row.offer or series.offer
    made = [plan.vaccines[code] for code in codes if code not in barred] or [
        plan.vaccines[code] for code in codes
    ]
    spaced = any(vaccine.kind == "live" for vaccine in made)
    base = max(
        _due_day(world, now, row),
        min(ages_of(vaccine.since).after(world.birth) for vaccine in made),
        ages_of(course.since).after(world.birth) if now.course is None else world.birth,
    )
    since, first = base, max(base, on_day)
    if spaced:
        since, first = allowed(plan, world, since), allowed(plan, world, first)
    doses = len(_counted(course))
    over = _over(world, row, course if now.course is None else None, made, first)
    if over:
        rule = _rule(plan, series, "max-age", row, over)
        return Outlook("too-old", row.number, doses, None, None, (), (rule,))
    late_day = _overdue_day(plan, world, row, since)
    if first > max(base, on_day):
        rules: tuple[Rule, ...] = (spacing_rule(plan, series, row),)
    else:
        rules = (_binding(asked, row, base),)
    fit = tuple(
        vaccine.code
        for vaccine in made
        if vaccine.code not in barred and _fits(world, vaccine, first)
    )
    if first > on_day:
        return Outlook("not-yet", row.number, doses, first, late_day, fit, rules)
    state: DueState = "overdue" if on_day >= late_day else "due"
    return Outlook(state, row.number, doses, since, late_day, fit, rules)


def _over(
    world: World, row: DoseRule, start: Course | None, made: Sequence[Vaccine], day: int
) -> str:
    """Return the limit of age beyond which a dose is no longer given on a day; '' when none."""
    ends = [row.below, start.below if start else None]
    if not any(_fits(world, vaccine, day) for vaccine in made):
        ends.append(max((each.below or "0 d" for each in made), key=lambda end: ages_of(end).about))
    passed = [end for end in ends if end is not None and ages_of(end).after(world.birth) <= day]
    return passed[0] if passed else ""


def _fits(world: World, vaccine: Vaccine, day: int) -> bool:
    """Whether a vaccine is made for the age on a day."""
    if ages_of(vaccine.since).after(world.birth) > day:
        return False
    return vaccine.below is None or day < ages_of(vaccine.below).after(world.birth)


def _interval_day(now: Standing, row: DoseRule) -> int | None:
    """Return the day on which the interval of a dose has passed; None where it has none."""
    if row.interval is None or now.last is None:
        return None
    return ages_of(row.interval).after(now.last)


def _due_day(world: World, now: Standing, row: DoseRule) -> int:
    by_age = ages_of(row.due or row.since).after(world.birth)
    others = (_interval_day(now, row), world.campaign_day)
    return max([by_age, *(day for day in others if day is not None)])


def _overdue_day(plan: Plan, world: World, row: DoseRule, since: int) -> int:
    if row.overdue is not None:
        by_age = ages_of(row.overdue).after(world.birth)
        if by_age > since:
            return by_age
    return ages_of(plan.schedule.schedule.overdue_after).after(since)


def _binding(asked: _Asked, row: DoseRule, base: int) -> Rule:
    """Return the rule that makes a dose due on a day and on none before it."""
    plan, series = asked.plan, asked.series
    if row.interval is not None and _interval_day(asked.now, row) == base:
        return _rule(plan, series, "interval", row, row.interval)
    if asked.world.campaign_day == base:
        return _rule(plan, series, "before-campaign", row)
    return _rule(plan, series, "min-age", row, row.due or row.since)


def _rule(
    plan: Plan, series: Series, name: RuleName, row: DoseRule | None = None, limit: str = ""
) -> Rule:
    head = plan.schedule.pack
    status = (row.status if row else None) or series.status or head.status
    source = (row.source if row else "") or series.source or head.source
    number = row.number if row else 0
    return Rule(name, series.id, number, limit, head.name, head.version, status, source)


def spacing_rule(plan: Plan, series: Series, row: DoseRule) -> Rule:
    """Return the rule that keeps live vaccines apart, as this schedule has it."""
    settings, head = plan.schedule.schedule, plan.schedule.pack
    return Rule(
        "live-spacing",
        series.id,
        row.number,
        f"{settings.live_spacing_days} d",
        head.name,
        head.version,
        settings.status or head.status,
        settings.source or head.source,
    )


def turns(
    plan: Plan, series: Series, world: World, doses: Sequence[Given], on_day: int, last: int
) -> list[int]:
    """Return the days of birth between which nothing changes, from `world.birth` to `last`.

    An age limit is crossed on some day that matters: of a dose, of an interval's end, of the
    spacing of live vaccines, or on the day asked about. Between two crossings every comparison
    comes out alike, and each day that is told moves along with the birth.
    """
    settings = plan.schedule.schedule
    days = {on_day}
    if world.campaign_day is not None:
        days |= {world.campaign_day - 1, world.campaign_day}
    days |= {dose.day for dose in doses}
    for text in {row.interval for each in series.course for row in each.dose if row.interval}:
        for dose in doses:
            end = ages_of(text).after(dose.day)
            days |= {end - 1, end}
    for live in world.live_days:
        days |= {live - 1, live, live + settings.live_spacing_days - 1}
        days.add(live + settings.live_spacing_days)
    days |= {day + settings.early_days for day in days}
    found = {world.birth, last}
    for age in plan.limits(series):
        # A day's crossing lies in the stretch when the age is reached by its first birth and not
        # by its last: most days are told by that, without going back from them.
        reached, not_yet = age.after(world.birth), age.after(last)
        for day in days:
            if reached <= day < not_yet:
                at = age.latest_before(day)
                found |= {at, at + 1}
    return sorted(found)
