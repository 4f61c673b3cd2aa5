"""How somebody does by the last sets of observations: score, trend, alerts, the next set due.

Pure: the packs in use are the caller's, so every node that holds the same says the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction
from math import inf
from typing import NamedTuple

from protocols.guidelines.ages import DAYS, UNKNOWN, AgeSpan, of_band, of_guess
from protocols.guidelines.due import DuePack, Standing, due
from protocols.guidelines.limits import Alert, LimitsPack, alerts
from protocols.guidelines.news2 import News, News2Pack, Withheld, news2
from protocols.guidelines.observations import observations
from protocols.guidelines.readings import Reading, Readings
from protocols.records.attributes import AGE_WORDS, Sex, days_since
from protocols.records.patient import PatientRow

SETS = 2
"""The last one, and the one before for the trend."""

DEAD = 0
_DAY_MS = 86_400_000


class Packs(NamedTuple):
    """The versions that are worked by."""

    news2: News2Pack
    limits: LimitsPack
    due: DuePack


class Measured(NamedTuple):
    """One value as its row has it; never a device's that nobody has accepted (SAFETY 15)."""

    at_ms: int
    code: str
    value: str
    unit: str
    absent: str


class Taken(NamedTuple):
    """One set of observations."""

    at_ms: int
    readings: Readings
    others: tuple[tuple[str, Reading], ...] = ()
    """Other values of the same instant for the same observation: nobody knows which is right."""


class Stay(NamedTuple):
    """What decides beside the values."""

    triage: int | None = None
    """0 dead, 1 red, 2 yellow, 3 green, 4 expectant."""
    sex: int = 9
    arrived_ms: int = 0
    scale: int = 1
    """Of SpO2: 2 only where a person chose and signed that (SAFETY 7)."""


class Watch(NamedTuple):
    """What a board says of one patient, beside who it is."""

    score: int | None = None
    """NEWS2 of the last set; None where there is none (SAFETY 7)."""
    least: bool = False
    """The score is the least it can be: something is missing."""
    trend: int = 0
    """1 the score rose since the set before, -1 it fell; 0 when it did not or nothing says."""
    before: int | None = None
    """The score of the set before."""
    last_ms: int | None = None
    """When the last set was taken."""
    due_ms: int | None = None
    """When the next one is due; None for the dead and where nothing asks for one."""
    late_ms: int | None = None
    """From when on that is late."""
    alerts: tuple[str, ...] = ()
    """Values that alert by themselves: `limit.heart-rate.high`, `unrecordable.systolic`."""
    why: tuple[tuple[str, str], ...] = ()
    """Which row of the pack asks for the next set: (language, words); () for the first set."""
    approved: bool = False
    """Whether clinical leads stand by all packs this rests on."""
    scale: int = 1
    """Which scale SpO2 is scored on."""


def sets_of(values: Iterable[Measured], most: int = SETS) -> list[Taken]:
    """Return the last sets, newest first: what was measured at one instant is one set."""
    by_time: dict[int, dict[str, list[Reading]]] = {}
    for one in sorted(set(values)):
        found = reading_of(one)
        if found.given:
            by_time.setdefault(one.at_ms, {}).setdefault(one.code, []).append(found)
    return [
        Taken(
            at_ms,
            {code: same[0] for code, same in by_time[at_ms].items()},
            tuple((code, one) for code, same in by_time[at_ms].items() for one in same[1:]),
        )
        for at_ms in sorted(by_time, reverse=True)[:most]
    ]


def reading_of(one: Measured) -> Reading:
    """Return a value as guidelines take it; what cannot be read counts as not measured."""
    if one.absent:
        return Reading(unrecordable=one.absent == "unrecordable")
    known = next((o for o in observations().observation if o.name == one.code), None)
    if known is None:
        return Reading()
    if known.choices:
        return Reading(choice=one.value if one.value in known.choices else "")
    factors = [Fraction(unit.factor) for unit in known.units if unit.ucum == one.unit]
    try:
        return Reading(value=Fraction(one.value) * factors[0]) if factors else Reading()
    except (ValueError, ZeroDivisionError):
        return Reading()


def watch(packs: Packs, sets: Sequence[Taken], stay: Stay, age: AgeSpan) -> Watch:
    """Return how somebody in care does.

    Args:
        packs: In use.
        sets: The last ones, newest first, as `sets_of` gives them.
        stay: What is known beside.
        age: As far as it is known, from `age_span`.
    """
    if stay.triage == DEAD:
        return Watch(last_ms=sets[0].at_ms if sets else None)
    pregnant = stay.sex == Sex.FEMALE_PREGNANT
    asked = _Asked(packs, age, pregnant, stay.scale)
    worst = [_cautious(asked, taken) for taken in sets[:SETS]]
    scored = [asked.news(readings) for readings in worst]
    now = scored[0] if scored else None
    before = scored[1] if len(scored) > 1 else None
    news = now if isinstance(now, News) else None
    singly = _singly(asked, worst, news)
    standing = Standing(stay.triage, news, alerts=bool(singly))
    last_ms = sets[0].at_ms if sets else None
    # Late is told as an instant, so no hour is asked for here.
    next_set = due(packs.due, standing, stay.arrived_ms, last_ms, stay.arrived_ms)
    heads = (packs.news2.pack, packs.limits.pack, packs.due.pack)
    return Watch(
        score=news.score if news else None,
        least=bool(news and news.partial),
        trend=_trend(news, before),
        before=before.score if isinstance(before, News) and not before.partial else None,
        last_ms=last_ms,
        due_ms=next_set.at_ms if next_set else None,
        late_ms=next_set.at_ms + packs.due.set.late_minutes * 60_000 if next_set else None,
        alerts=singly,
        why=tuple(next_set.why.words.items()) if next_set and next_set.why else (),
        approved=all(head.approved for head in heads),
        scale=stay.scale,
    )


class _Asked(NamedTuple):
    """Of whom it is asked, by which packs."""

    packs: Packs
    age: AgeSpan
    pregnant: bool
    scale: int

    def news(self, readings: Readings) -> News | Withheld:
        """Return the score of a set, or why there is none."""
        return news2(self.packs.news2, readings, self.age, pregnant=self.pregnant, scale=self.scale)

    def singly(self, readings: Readings) -> Sequence[Alert]:
        """Return the values that alert by themselves."""
        return alerts(self.packs.limits, readings, self.age, pregnant=self.pregnant)


def _cautious(asked: _Asked, taken: Taken) -> Readings:
    """Return the readings of a set; of two values of one instant the one that is worse to have."""

    def weight(readings: Readings) -> tuple[int, int]:
        news = asked.news(readings)
        return (news.score if isinstance(news, News) else -1, len(asked.singly(readings)))

    readings = taken.readings
    for code, other in taken.others:
        tried = {**readings, code: other}
        if weight(tried) > weight(readings):
            readings = tried
    return readings


def _singly(asked: _Asked, sets: Sequence[Readings], news: News | None) -> tuple[str, ...]:
    """Return what alerts by itself: of the score where there is one, else of single limits."""
    if not sets:
        return ()
    if news is not None:
        return news.alerts
    return tuple(alert.key for alert in asked.singly(sets[0]))


def _trend(now: News | None, before: object) -> int:
    """Return whether the score rose, as far as both say; a lower bound can only have risen."""
    if now is None or not isinstance(before, News) or before.partial:
        return 0
    if now.partial:
        return int(now.score > before.score)
    return (now.score > before.score) - (now.score < before.score)


def age_span(row: PatientRow, now_ms: int) -> AgeSpan:
    """Return what is known of an age now; whoever was 15 y last month may be 16 (SAFETY 2).

    Whatever is scored, alerted, dosed or asked by an age goes by this, on a board as on a form.
    While people differ about it, it is all that any of them says.
    """
    if row.born_after is not None and row.born_by is not None:
        today = now_ms // _DAY_MS
        span = AgeSpan(max(today - row.born_by, 0.0), float(today - row.born_after))
        return span if span.since < span.below else UNKNOWN
    if row.birth_date:
        return _since_birth(row.birth_date, now_ms)
    if row.age_value is not None and row.age_unit is not None:
        unit = DAYS.get(AGE_WORDS.get(row.age_unit, ""), 0.0)
        if not unit:
            return UNKNOWN
        passed = days_since(row.age_day, now_ms // _DAY_MS)
        since = row.age_value * unit + passed
        return of_guess(since, unit) if row.age_estimated else AgeSpan(since, since + unit)
    return of_band(row.band)


def _since_birth(text: str, now_ms: int) -> AgeSpan:
    parts = [int(part) for part in text.split("-")]
    today = now_ms // _DAY_MS
    try:
        first = date(parts[0], *(parts[1:] or [1]), *([1] if len(parts) < 3 else []))
    except (ValueError, TypeError):
        return UNKNOWN
    born = first.toordinal() - date(1970, 1, 1).toordinal()
    length = {1: DAYS["y"], 2: DAYS["mo"]}.get(len(parts), 1.0)
    if today < born:
        return UNKNOWN
    return AgeSpan(max(today - born - length + 1, 0.0), today - born + 1.0)


def codes_of(packs: Packs) -> frozenset[str]:
    """Return every observation that a score, a limit or a due set asks for."""
    single = (*packs.limits.common, *packs.limits.pregnancy)
    grouped = (limit for group in packs.limits.group for limit in group.limit)
    return frozenset(
        (*packs.news2.codes, *packs.due.set.codes, *(one.code for one in (*single, *grouped)))
    )


def place(found: Watch, by: str) -> tuple[float, ...]:
    """Return what a board sorts by, smallest first: `score` the highest, `due` the soonest."""
    if by == "score":
        return (inf if found.score is None else -found.score, -len(found.alerts))
    return (inf if found.due_ms is None else found.due_ms,)
