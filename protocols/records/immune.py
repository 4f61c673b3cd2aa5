"""What is known of a person when doses are judged: doses had, birth, what speaks against some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from protocols.errors import InputError
from protocols.guidelines.ages import of_band
from protocols.guidelines.births import LIFE_DAYS
from protocols.guidelines.immunization import (
    NEW,
    Barred,
    Born,
    Given,
    Terms,
    Verdict,
    born_of_age,
    born_of_date,
    born_stated,
    reasons_against,
    validate,
)
from protocols.guidelines.schedules import Plan as Immunization
from protocols.records import aefi
from protocols.records import attributes as names
from protocols.records.attributes import AGE_WORDS, Age, Sex
from protocols.records.born import born_apart
from protocols.records.contested import shown
from protocols.records.decision import ONE_OF, decided
from protocols.records.dose import GIVEN, DoseRecord, days_of, possible_days
from protocols.records.doubling import doubts_of, spare_of
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.planning import Desk
from protocols.records.references import ref_of
from protocols.records.session import SessionRow, chosen_of
from protocols.records.vaccination import LAST_DAY, immunization
from protocols.records.zones import DAY_MS

ASKED = {
    "min-age": "dose_before_min_age",
    "max-age": "dose_after_max_age",
    "interval": "dose_before_interval",
    "live-spacing": "dose_near_live",
    "same-day": "dose_given_already",
    "complete": "dose_given_already",
    "vaccine": "dose_other_vaccine",
}
"""Rule of the schedule that a dose fails to the code it is asked about with; others ask nothing."""


class Judged(NamedTuple):
    """What a schedule says of the dose that is about to be written."""

    series: str
    """'' where it counts for none."""
    number: int | None
    """In the series; None where nothing says."""


def doubts(
    desk: Desk,
    by: Immunization,
    histories: Sequence[History],
    draft: DoseRecord,
    session: SessionRow | None,
    *,
    ask: bool,
) -> Judged:
    """Return what a dose would count as, and ask once about what speaks against it.

    A dose on no known day is judged by nobody. What is not sure, as where only an age band is
    known, is not asked about: it is told with the dose wherever it is read.

    Args:
        desk: The command.
        by: The schedule in use.
        histories: All that is known of the person, in every record that was linked.
        draft: The dose.
        session: In which it is given.
        ask: False: only what it counts as is wanted.

    Raises:
        InputError: `impossible`: nobody was born yet on that day.
    """
    vaccine = by.vaccines[draft.vaccine]
    choose, campaign = _chosen(session)
    series = primary_series(by, vaccine.code, choose)
    days = possible_days(draft, desk.view.now_ms)
    if days is None:
        return Judged(series, None)
    born = best_birth(histories, days[1])
    if days[1] < born.first:
        raise InputError("impossible", field="at", allowed=("the day of birth or later",))
    corrected = {str(ref) for ref in desk.command.supersedes}
    had = [one for one in doses_of(*histories) if one.key not in corrected]
    barred = tuple(dict.fromkeys(each for one in histories for each in barred_of(one)))
    terms = Terms(choose, campaign, barred)
    new = given_on(NEW, vaccine.code, days)
    mine = [each for each in validate([*had, new], born, by, terms) if _is_new(each)]
    main = next((each for each in mine if each.series == series), None)
    if ask:
        if reasons_against(by, vaccine.code, barred):
            desk.confirmed("dose_contraindicated", "data.vaccine")
        if main is not None and not any(each.state == "valid" for each in mine):
            _ask(desk, main)
    # What may be one dose is asked about as if all of it was given, and numbered as it is counted.
    spare = {str(ref) for ref in spare_of(doubts_of(histories, immunization(desk.view)))}
    counted = [one for one in had if one.key not in spare]
    if len(counted) < len(had):
        had, mine = counted, [*filter(_is_new, validate([*counted, new], born, by, terms))]
        main = next((each for each in mine if each.series == series), None)
    if main is None or main.state in ("valid", "beside") or (main.state in GOOD and main.number):
        return Judged(series, main.number if main else None)
    row = by.schedule.of_id(series)
    before = [one for one in had if row is not None and by.counts(row, one.vaccine)]
    return Judged(series, len(before) + 1)


def _is_new(verdict: Verdict) -> bool:
    return verdict.key == NEW and bool(verdict.series)


GOOD = ("valid", "beside", "unsure")
"""States of a dose that has a number of its own."""


def primary_series(by: Immunization, code: str, choose: tuple[str, ...] = ()) -> str:
    """Return the series that a vaccine is first of all given for; '' where it counts for none.

    It is the one that asks most of the vaccine: of DTP-HepB-Hib that of DTP.
    """
    own = [row for row in by.chosen(choose) if by.counts(row, code)]
    return max(own, key=lambda row: len(row.antigens)).id if own else ""


def _chosen(session: SessionRow | None) -> tuple[tuple[str, ...], int | None]:
    return ((), None) if session is None else (chosen_of(session), session.campaign)


def _ask(desk: Desk, verdict: Verdict) -> None:
    """Ask about a dose that counts for nothing; one that counts for something was worth giving."""
    if verdict.state in GOOD:
        return
    for rule in verdict.rules:
        code = ASKED.get(rule.name)
        if code is not None:
            desk.confirmed(code, "data", allowed=(rule.limit,) if rule.limit else ())


def best_birth(histories: Sequence[History], on_day: int) -> Born:
    """Return the birth that is known best among records of one person.

    Where another record says a birth that this one cannot be, both are possible and all between.
    """
    found = [birth_of(history, on_day) for history in histories]
    best = min(found, key=lambda born: (born.last - born.first, born))
    other = [each for each in found if each.last < best.first or best.last < each.first]
    return Born(min(each.first for each in (best, *other)), max(each[1] for each in (best, *other)))


def doses_of(*histories: History) -> list[Given]:
    """Return the doses that a person had, as a schedule judges them; each of several once.

    Args:
        histories: Of one person; several where their records are linked.
    """
    settled = decided(*histories)
    return [
        given_on(str(fact.ref), record.vaccine, days)
        for history in histories
        for fact in shown(history, KindNo.DOSE_RECORD)
        if isinstance(record := fact.record, DoseRecord)
        and record.status == GIVEN
        and (days := days_of(fact)) is not None
        and settled.get(ref_of(fact)) != ONE_OF
    ]


def given_on(key: str, vaccine: str, days: tuple[int, int]) -> Given:
    """Return a dose as a schedule judges it, from the first and the last day it may have been."""
    return Given(key, vaccine, days[0], days[1] if days[0] != days[1] else None)


def barred_of(history: History) -> tuple[Barred, ...]:
    """Return what is known here of reasons against vaccines: from reports and from pregnancy.

    Nobody has to be asked for these; what else speaks against a vaccine a screen asks about.
    """
    found = [Barred("severe-allergy", code) for code in aefi.causes(history, "anaphylaxis")]
    found += [Barred("intussusception", code) for code in aefi.causes(history, "intussusception")]
    found += [Barred("encephalopathy", code) for code in aefi.causes(history, "encephalopathy")]
    if any(said.value == Sex.FEMALE_PREGNANT for said in history.now.get((None, names.SEX), ())):
        found.append(Barred("pregnant"))
    return tuple(found)


def birth_of(history: History, on_day: int) -> Born:
    """Return when somebody was born, as far as is said: a date, an age, a band, or nothing.

    While people say different things of it, it is as early and as late as any of them says.
    """
    apart = born_apart(history)
    if apart is not None:
        last = min(apart[1], on_day)
        return Born(max(min(apart[0] + 1, last), last - LIFE_DAYS), last)
    born = _last(history, names.BIRTH_DATE)
    known = born_of_date(names.date_text(born)) if isinstance(born, int) else None
    if known is not None:
        return known
    age = _last(history, names.AGE)
    if isinstance(age, Age) and age.unit in AGE_WORDS:
        unit = AGE_WORDS[age.unit]
        # A day that no clock shows says nothing of when the age was stated.
        # West of Greenwich it is still the day before: what was stated there today has today's UTC.
        told = 0 < age.day <= LAST_DAY and age.day != on_day + 1
        stated = age.day if told else on_day
        return born_stated(age.value, unit, stated, estimated=bool(age.estimated))
    return _of_band(history, on_day)


def _of_band(history: History, on_day: int) -> Born:
    said = history.now.get((None, names.BAND), ())
    if not said:
        return born_of_age(of_band(None), on_day)
    stated = said[-1]
    return born_of_age(of_band(stated.value), min(stated.fact.at_ms // DAY_MS, on_day))


def _last(history: History, number: int) -> object:
    said = history.now.get((None, number), ()) or history.beside.get((None, number), ())
    return said[-1].value if said else None
