"""Which doses count, and what is due: by a schedule pack, for a birth that is known or is not.

Days are whole numbers since 1970-01-01, in the calendar of the place. A birth is a stretch of days;
whatever differs between two days of it is said to be unsure and is never guessed (SAFETY 2). What
counts for a series is judged in the order the doses were given, so an interrupted series goes on
where it stopped. Nothing here reads a clock: `on_day` is given.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from protocols.guidelines.births import born_of_age, born_of_date, born_on, born_stated, narrowed
from protocols.guidelines.courses import Judged, Outlook, World, judge, outlook, turns
from protocols.guidelines.schedules import Plan, Series
from protocols.guidelines.undated import involved, settled
from protocols.guidelines.vaccines import Reason
from protocols.guidelines.verdicts import (
    AS_THE_PACK_HAS_IT,
    NEW,
    Barred,
    Born,
    DoseState,
    DueState,
    Forecast,
    Given,
    NextVisit,
    Rule,
    RuleName,
    Terms,
    Verdict,
)

__all__ = [
    "AS_THE_PACK_HAS_IT",
    "NEW",
    "Barred",
    "Born",
    "DoseState",
    "DueState",
    "Forecast",
    "Given",
    "NextVisit",
    "Rule",
    "RuleName",
    "Terms",
    "Verdict",
    "born_of_age",
    "born_of_date",
    "born_on",
    "born_stated",
    "forecast",
    "next_visit",
    "reasons_against",
    "validate",
]

_COMES = ("due", "overdue", "not-yet")
"""States in which a dose is still to be given."""


def validate(
    doses: Iterable[Given], born: Born, plan: Plan, terms: Terms = AS_THE_PACK_HAS_IT
) -> tuple[Verdict, ...]:
    """Return what each dose is for each series it belongs to, in the order they were given.

    Args:
        doses: In any order.
        born: As far as it is known.
        plan: The schedule and the vaccines, as they are in use.
        terms: What is worked by; what is barred does not make a dose invalid that was given.
    """
    case = _case(plan, doses, born, terms)
    found: dict[Given, list[Verdict]] = {dose: [] for dose in case.doses}
    for series in plan.chosen(terms.choose):
        judged: list[dict[tuple[str, str], Judged]] = []
        for world, own in case.each_reading(series):
            told = judge(plan, series, world, own)[0]
            named = ((dose.key, dose.vaccine) for dose in own)
            judged.append(dict(zip(named, told, strict=True)))
        for dose in case.of_series(series):
            agreed = _agreed(
                [each[dose.key, dose.vaccine] for each in judged], plan, series, case.why(series)
            )
            found[dose].append(Verdict(*dose[:3], series.id, *agreed))
    return tuple(
        verdict
        for dose, told in found.items()
        for verdict in told or [Verdict(*dose[:3], "", "uncounted", 0, (_of_none(plan, dose),))]
    )


def forecast(
    doses: Iterable[Given],
    born: Born,
    on_day: int,
    plan: Plan,
    terms: Terms = AS_THE_PACK_HAS_IT,
) -> tuple[Forecast, ...]:
    """Return what each series needs on a day, in the order of the pack.

    What is given today counts, wherever it stands; a dose dated later counts as given too, since a
    wrong clock is likelier than a second dose is harmless.

    Args:
        doses: In any order.
        born: As far as it is known.
        on_day: The day asked about.
        plan: The schedule and the vaccines, as they are in use.
        terms: What is worked by, and what speaks against vaccines for this person.
    """
    case = _case(plan, doses, born, terms, on_day)
    told = {code: reasons_against(plan, code, terms.barred) for code in plan.vaccines}
    against = {code: rules for code, rules in told.items() if rules}
    found = []
    for series in plan.chosen(terms.choose):
        seen = [
            outlook(plan, series, world, judge(plan, series, world, own)[1], on_day, against)
            for world, own in case.each_reading(series, on_day)
        ]
        found.append(_forecast(plan, series, seen, against, case.why(series)))
    return tuple(found)


def next_visit(found: Sequence[Forecast], on_day: int) -> NextVisit | None:
    """Return the first day on which something is due; None where nothing is to come.

    Ask with the doses of today among those given: what was left out today is due on `on_day`.
    """
    days = {
        each.series: max(each.day, on_day)
        for each in found
        if each.day is not None and each.state in (*_COMES, "unsure")
    }
    if not days:
        return None
    day = min(days.values())
    taken = tuple(series for series, at in days.items() if at <= day)
    sure = all(each.sure for each in found if each.series in taken or each.state == "unsure")
    return NextVisit(day, taken, sure)


def reasons_against(plan: Plan, code: str, barred: Iterable[Barred]) -> tuple[Rule, ...]:
    """Return every reason for which a person must not have a vaccine of the plan, by its code."""
    known = {row.id: row for row in plan.reasons}
    return tuple(
        _reason_rule(plan, known[each.reason])
        for each in sorted(barred)
        if each.reason in known and _holds(plan, known[each.reason], code, each.vaccine)
    )


# one person, in every way that what is not known may be


class _Case(NamedTuple):
    """The doses of one person."""

    plan: Plan
    doses: tuple[Given, ...]
    born: Born
    campaign_day: int | None
    near_days: tuple[int, ...] = ()
    """As `Terms.live_days`."""

    def of_series(self, series: Series) -> tuple[Given, ...]:
        return tuple(dose for dose in self.doses if self.plan.counts(series, dose.vaccine))

    def each_reading(
        self, series: Series, on_day: int | None = None
    ) -> list[tuple[World, tuple[Given, ...]]]:
        """Return every world with the doses of a series in it, each on one day.

        Args:
            series: One of the plan's.
            on_day: The day asked about; None: the last dose.
        """
        found = []
        for case in self._each_day(series, on_day):
            own = case.of_series(series)
            asked = (own[-1].day if own else 0) if on_day is None else on_day
            found += [(world, own) for world in case.each_birth(series, own, asked)]
        return found

    def _each_day(self, series: Series, on_day: int | None) -> list[_Case]:
        if not involved(self.plan, series, self.doses):
            return [self]
        return [
            self._replace(
                doses=_in_order(doses), born=narrowed(self.born, (each.day for each in doses))
            )
            for doses in settled(self.plan, series, self.doses, self.born, on_day)
        ]

    def why(self, series: Series) -> tuple[RuleName, ...]:
        """Return of what not enough is known."""
        found: list[RuleName] = []
        if self.born.first != self.born.last:
            found.append("birth-unsure")
        if involved(self.plan, series, self.doses):
            found.append("date-unsure")
        return tuple(found)

    def each_birth(self, series: Series, own: Sequence[Given], on_day: int) -> list[World]:
        """Return every world that may come out otherwise than the ones beside it.

        A vaccine that no pack knows may be a live one: then both are looked at.
        """
        lives = {kind: self._live_days(kind) for kind in (("live",), ("live", "unknown"))}
        worlds = []
        for live_days in dict.fromkeys(lives.values()):
            began = self.campaign_day if series.campaign else None
            world = World(self.born.first, live_days, began)
            if self.born.first == self.born.last:
                worlds.append(world)
                continue
            births = turns(self.plan, series, world, own, on_day, self.born.last)
            worlds += [world._replace(birth=birth) for birth in births]
        return worlds

    def _live_days(self, kinds: Collection[str]) -> tuple[int, ...]:
        known = self.plan.vaccines
        return tuple(
            sorted(
                {
                    dose.day
                    for dose in self.doses
                    if (known[dose.vaccine].kind if dose.vaccine in known else "unknown") in kinds
                }.union(self.near_days)
            )
        )


def _case(plan: Plan, doses: Iterable[Given], born: Born, terms: Terms, *seen: int) -> _Case:
    ordered = _in_order(doses)
    days = (*seen, *(dose.day if dose.until is None else dose.until for dose in ordered))
    return _Case(plan, ordered, narrowed(born, days), terms.campaign_day, terms.live_days)


def _in_order(doses: Iterable[Given]) -> tuple[Given, ...]:
    return tuple(
        sorted(set(doses), key=lambda dose: (dose.day, dose.key == NEW, dose.vaccine, dose.key))
    )


def _union(found: Iterable[Sequence[Rule]]) -> tuple[Rule, ...]:
    return tuple(dict.fromkeys(rule for rules in found for rule in rules))


def _agreed(
    found: Sequence[Judged], plan: Plan, series: Series, why: Sequence[RuleName]
) -> tuple[DoseState, int, tuple[Rule, ...]]:
    """Return what holds in every world, else what is not sure."""
    states = dict.fromkeys(each.state for each in found)
    number = min(each.number for each in found)
    if len(states) == 1:
        rules = _union(each.rules for each in found if each.number == number)
        return found[0].state, number, rules
    unmet = _union(each.rules for each in found if each.state != "valid")
    return "unsure", number, (*unmet, *(_plain(plan, series.id, name) for name in why))


def _forecast(
    plan: Plan,
    series: Series,
    seen: Sequence[Outlook],
    against: Mapping[str, tuple[Rule, ...]],
    why: Sequence[RuleName],
) -> Forecast:
    """Return what holds in every world, else the cautious answer with what it may be."""
    told = [_barred(plan, series, each, against) for each in seen]
    lowest = min(told, key=lambda each: each.number)
    states = dict.fromkeys(each.state for each in told)
    state, may = _state(tuple(states))
    days = [each.day for each in told if each.day is not None]
    late_days = [each.overdue_day for each in told if each.overdue_day is not None]
    all_come = all(each.state in _COMES for each in told)
    rules = _union(each.rules for each in told if each.number == lowest.number or may)
    return Forecast(
        series=series.id,
        state=state,
        number=lowest.number,
        doses=lowest.doses,
        day=max(days) if days and all_come else None,
        overdue_day=max(late_days) if late_days and all_come else None,
        vaccines=lowest.offer,
        rules=(*rules, *(_plain(plan, series.id, name) for name in why)) if may else rules,
        may=may,
        sure=len({(each.state, each.number, each.day) for each in told}) == 1,
        ask=_asked(plan, lowest.offer) if state in (*_COMES, "unsure") else (),
    )


def _state(states: tuple[DueState, ...]) -> tuple[DueState, tuple[DueState, ...]]:
    if len(states) == 1:
        return states[0], ()
    if set(states) <= {"due", "overdue"}:
        return "due", ()
    return "unsure", tuple(sorted(states))


def _barred(
    plan: Plan, series: Series, found: Outlook, against: Mapping[str, tuple[Rule, ...]]
) -> Outlook:
    """Return what is left of an outlook for whoever must not have any of its vaccines."""
    if found.state not in _COMES or found.offer:
        return found
    codes = {code for each in series.course for row in each.dose for code in row.offer}
    rules = _union(against[code] for code in (*series.offer, *sorted(codes)) if code in against)
    named = tuple(rule._replace(series=series.id, number=found.number) for rule in rules)
    return found._replace(state="contraindicated", day=None, overdue_day=None, rules=named)


# what speaks against a vaccine


def _holds(plan: Plan, reason: Reason, code: str, cause: str) -> bool:
    vaccine = plan.vaccines[code]
    if reason.same:
        of_cause = plan.vaccines.get(cause)
        if of_cause is None or set(of_cause.antigens) & set(vaccine.antigens):
            return True
    return vaccine.kind in reason.kinds or bool(set(reason.antigens) & set(vaccine.antigens))


def _asked(plan: Plan, codes: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        row.id for row in plan.reasons if any(_holds(plan, row, code, code) for code in codes)
    )


def _reason_rule(plan: Plan, reason: Reason) -> Rule:
    head = plan.reasons_from
    status, source = reason.status or head.status, reason.source or head.source
    return Rule("contraindication", "", 0, reason.id, head.name, head.version, status, source)


def _plain(plan: Plan, series: str, name: RuleName) -> Rule:
    head = plan.schedule.pack
    return Rule(name, series, 0, "", head.name, head.version, head.status, head.source)


def _of_none(plan: Plan, dose: Given) -> Rule:
    known = dose.vaccine in plan.vaccines
    return _plain(plan, "", "other-series" if known else "unknown-vaccine")
