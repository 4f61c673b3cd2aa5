"""What vaccination sessions come to: doses and tallies by day, site, antigen and band; their pace.

All of it is sums over rows that stand and are current, so it is the same wherever the same is held.
Doses that may be one are counted once until somebody decides (`immunization.not_counted`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from protocols.errors import InputError
from protocols.guidelines.schedules import Plan
from protocols.ids import FactRef
from protocols.ledger.book import Ledger
from protocols.ledger.given import NOTHING, InSessions, OfChildren, Reach, Sums
from protocols.ledger.immunization import GIVEN, not_counted, plan_in_use
from protocols.ledger.oneperson import same_person
from protocols.ledger.store import Store
from protocols.records.session import SessionRow
from protocols.records.shape import columns
from protocols.records.vaccination import Span
from protocols.records.zones import HOUR_MS, local_day, local_hour

CHILD_BANDS = (1, 2)
"""Age bands of children under five, of whom it is asked who never had a dose."""

ASKED_AT_ONCE = 500
"""Records that one question names."""

_NAMES = [name for name, _ in columns(SessionRow)]


class Beside(NamedTuple):
    """A book that is asked over another connection, with what only its own thread can tell."""

    store: Store
    plans: Mapping[str, Plan]
    """By the name of the schedule; '' is the routine one, and stands for those not known."""
    spare: Collection[tuple[int, int]]
    """(entry, index) of doses that stand beside a counted one."""
    sums: Sums = NOTHING
    """What was given, as it was when the book was asked."""


Asked = Ledger | Beside
"""What questions are put to."""


def beside(ledger: Ledger, spare: Iterable[FactRef]) -> Beside:
    """Return what is to be known of a book to ask it over another connection.

    Args:
        ledger: The book; its own connection is in the answer, to be replaced.
        spare: As `immunization.not_counted` has them.
    """
    plans = {"": plan_in_use(ledger)}
    for (name,) in ledger.store.all("SELECT DISTINCT schedule FROM session"):
        with suppress(InputError):
            plans[name] = plan_in_use(ledger, name)
    return Beside(ledger.store, plans, _keys(ledger, spare), ledger.rows.given.kept(plans[""]))


def in_sessions(ledger: Asked) -> InSessions:
    """Return what sessions come to, as it was counted while it was written."""
    return ledger.sums.sessions if isinstance(ledger, Beside) else ledger.rows.given.sessions()


def of_children(ledger: Asked) -> OfChildren:
    """Return who had what, counted alike: a dose for every series its product counts for."""
    if isinstance(ledger, Beside):
        return ledger.sums.children
    return ledger.rows.given.children(plan_in_use(ledger))


def _plan(ledger: Asked, name: str = "") -> Plan:
    if isinstance(ledger, Beside):
        return ledger.plans.get(name) or ledger.plans[""]
    return plan_in_use(ledger, name)


def _keys(ledger: Ledger, refs: Iterable[FactRef]) -> list[tuple[int, int]]:
    found = [(ledger.chain.names.find(ref.entry), ref.index) for ref in sorted(refs)]
    return [(entry, index) for entry, index in found if entry is not None]


class Count(NamedTuple):
    """Doses that are alike."""

    session: bytes
    vaccine: str
    dose: int | None
    """Number in its series; None: not known."""
    band: int
    sex: int
    day: int | None
    """In the session's zone, since 1970-01-01; None: no clock that could be right says."""
    doses: int
    tallied: bool
    """Whether they were counted in crowd mode, and are of nobody by name."""


def sessions(ledger: Asked, session: bytes | None = None) -> list[SessionRow]:
    """Return all sessions that stand and were not entered in error, the first opened first.

    Args:
        ledger: The book.
        session: One of them; None: all.
    """
    where, asked = ("", ()) if session is None else (" AND id = ?", (bytes(session),))
    found = ledger.store.all(
        f"SELECT {', '.join(_NAMES)} FROM session WHERE standing = 0 AND replaced = 0{where}"
        " ORDER BY opened_ms, id",
        asked,
    )
    return [SessionRow(**dict(zip(_NAMES, each, strict=True))) for each in found]


def span_of(row: SessionRow) -> Span:
    """Return from when to when a session lasted, as far as clocks that can be right say."""
    return Span(
        _decode(row.offsets),
        None if row.doubtful else row.opened_ms,
        row.closed_ms,
    )


@lru_cache(512)
def _decode(text: str) -> tuple[tuple[int, int], ...]:
    return msgspec.json.decode(text, type=tuple[tuple[int, int], ...])


def counts(ledger: Asked, session: bytes | None = None) -> list[Count]:
    """Return the doses and tallies of sessions, in a stable order; nothing entered in error.

    Args:
        ledger: The book.
        session: One of them; None: all.
    """
    known = {bytes(row.id): span_of(row) for row in sessions(ledger, session)}
    found: Counter[Count] = Counter()
    for each in (*_doses(ledger, session), *_tallies(ledger, session)):
        if each.session in known:
            day = within(known[each.session], each.day)
            found[each._replace(day=day, doses=0)] += each.doses
    return sorted(
        (each._replace(doses=doses) for each, doses in found.items() if doses),
        key=lambda each: tuple(repr(part) for part in each),
    )


def within(span: Span, day: int | None) -> int | None:
    """Return the day of the session on which something of it is counted."""
    if day is None or span.opened_ms is None or span.closed_ms is None:
        return day
    if span.closed_ms < span.opened_ms:
        return day
    opened = local_day(span.offsets, span.opened_ms)
    return min(max(day, opened), local_day(span.offsets, span.closed_ms))


def _doses(ledger: Asked, session: bytes | None) -> list[Count]:
    found = Counter(
        {
            _count(kind, 0): doses
            for kind, doses in in_sessions(ledger).doses.items()
            if session is None or kind[0] == session
        }
    )
    for spare in _spare(ledger, session):
        if found[spare]:
            found[spare] -= 1
    return [each._replace(doses=doses) for each, doses in found.items() if doses]


def _spare(ledger: Asked, session: bytes | None) -> list[Count]:
    """Return the doses of sessions that stand beside a counted one, each by itself.

    With a session at least those of it, and possibly others.
    """
    found = []
    if isinstance(ledger, Beside):
        known = ledger.spare
    else:
        known = _keys(ledger, not_counted(ledger, session=session))
    for key in known:
        row = ledger.store.one(
            "SELECT d.session, d.vaccine, d.dose, d.band, d.sex, d.day FROM dose d"
            f" JOIN entry e ON e.arrival = d.entry WHERE d.entry = ? AND d.idx = ? AND {GIVEN}"
            " AND d.session IS NOT NULL AND d.elsewhere = 0",
            key,
        )
        if row is not None:
            found.append(_count(row, 0))
    return found


def _tallies(ledger: Asked, session: bytes | None) -> list[Count]:
    where, asked = ("", ()) if session is None else (" AND session = ?", (bytes(session),))
    return [
        _count(row[:-1], row[-1], tallied=True)
        for row in ledger.store.all(
            "SELECT session, vaccine, dose, band, sex, day, sum(n) FROM tally"
            # What is no vaccine is no dose: `interventions.py` sums it.
            f" WHERE intervention = '' AND standing = 0 AND replaced = 0{where}"
            " GROUP BY 1, 2, 3, 4, 5, 6",
            asked,
        )
    ]


def _count(row: Sequence[Any], doses: int, *, tallied: bool = False) -> Count:
    session, vaccine, dose, band, sex, day = row
    return Count(bytes(session), vaccine, dose, band, sex, day, doses, tallied)


# coverage

_Place = tuple[bytes | None, str, int]
"""Site, antigen, age band."""


class Covered(NamedTuple):
    """Doses of an antigen at a site, against what was to be given there."""

    site: bytes | None
    antigen: str
    band: int
    """0: all bands together."""
    doses: int
    target: int | None
    """What its sessions were to give; None where none of them says."""

    @property
    def percent(self) -> float | None:
        """Doses of a hundred that were to be given; None without a target."""
        return None if not self.target else self.doses * 100 / self.target


def coverage(ledger: Asked, counted: Sequence[Count] | None = None) -> list[Covered]:
    """Return doses against targets by site, antigen and band, and for all bands together.

    A dose counts for every antigen of its vaccine, by the vaccines pack in use. A site's target is
    the sum of what its sessions say; a target without a band is one of all bands together, and the
    targets of single bands add to it.

    Args:
        ledger: The book.
        counted: What `counts` says, where it was asked already.
    """
    plan = _plan(ledger)
    own: dict[bytes, Plan] = {}
    place: dict[bytes, bytes | None] = {}
    targets: Counter[_Place] = Counter()
    doses: Counter[_Place] = Counter()
    for row in sessions(ledger):
        site = None if row.site is None else bytes(row.site)
        place[bytes(row.id)] = site
        own[bytes(row.id)] = _plan(ledger, row.schedule) if row.schedule else plan
        for antigen, number, band in msgspec.json.decode(row.targets):
            for each in {band, 0}:
                targets[site, antigen, each] += number
    for count in counts(ledger) if counted is None else counted:
        vaccine = own[count.session].vaccines.get(count.vaccine)
        for antigen in vaccine.antigens if vaccine is not None else (count.vaccine,):
            for band in (count.band, 0):
                doses[place[count.session], antigen, band] += count.doses
    keys = sorted(targets.keys() | doses.keys(), key=lambda key: (key[0] or b"", *key[1:]))
    return [
        Covered(site, antigen, band, doses[site, antigen, band], targets.get((site, antigen, band)))
        for site, antigen, band in keys
    ]


# children


class ZeroDose(NamedTuple):
    """Children who never had a dose of a series."""

    series: str
    children: int
    """All who are known here, in `CHILD_BANDS`; who has several linked records once."""
    none: int
    """Of these without any dose that is written down here."""


class Record(NamedTuple):
    """What is counted of one patient's rows, of somebody who has several."""

    band: int | None
    """Age band; -1 where the record itself does not stand."""
    had: frozenset[tuple[str, int | None]]
    """Series and number of the doses in it, wherever they were given; as `OfChildren.had`."""
    reached: frozenset[str]
    """Series that any dose in it counts for, as `OfChildren.reached`."""


Linked = Sequence[Sequence[Record]]
"""The records of each person of whom people linked several: each was counted by itself."""


def linked(ledger: Asked) -> Linked:
    """Return the records of every person who has several."""
    persons: dict[bytes, list[bytes]] = {}
    for one, first in _persons(ledger).items():
        persons.setdefault(first, []).append(one)
    asked = [one for each in persons.values() for one in each]
    bands: dict[bytes, int | None] = {}
    had: dict[bytes, set[tuple[str, int | None]]] = {}
    reached: dict[bytes, set[str]] = {}
    reach = Reach(_plan(ledger))
    for at in range(0, len(asked), ASKED_AT_ONCE):
        some = asked[at : at + ASKED_AT_ONCE]
        marks = ",".join("?" * len(some))
        for one, band in ledger.store.all(
            "SELECT p.id, p.band FROM patient p WHERE p.standing = 0 AND p.replaced < 2"
            f" AND p.id IN ({marks})",
            some,
        ):
            bands[bytes(one)] = band
        for one, series, vaccine, number in ledger.store.all(
            f"SELECT d.patient, d.series, d.vaccine, d.dose FROM dose d WHERE {GIVEN}"
            f" AND d.patient IN ({marks})",
            some,
        ):
            of = ((each, number) for each in reach.numbered(series, vaccine))
            had.setdefault(bytes(one), set()).update(of)
            reached.setdefault(bytes(one), set()).update(reach.any_of(series, vaccine))
    return [
        [
            Record(bands.get(one, -1), frozenset(had.get(one, ())), frozenset(reached.get(one, ())))
            for one in each
        ]
        for each in persons.values()
    ]


def zero_dose(ledger: Asked, series: str, bands: Iterable[int] = CHILD_BANDS) -> ZeroDose:
    """Return how many known children had no dose of a series, wherever it was given."""
    (found,) = zero_doses(ledger, (series,), bands)
    return found


def zero_doses(
    ledger: Asked,
    series: Iterable[str],
    bands: Iterable[int] = CHILD_BANDS,
    several: Linked | None = None,
) -> list[ZeroDose]:
    """Return the same of several series.

    Args:
        ledger: The book.
        series: Their names.
        bands: Age bands of who is asked about.
        several: What `linked` says, where it was asked already.
    """
    sums, wanted, found = of_children(ledger), frozenset(bands), []
    persons = [
        (each, [record for record in each if record.band in wanted])
        for each in (linked(ledger) if several is None else several)
    ]
    persons = [(every, young) for every, young in persons if young]
    children = sum(sums.known[band] for band in wanted)
    children -= sum(len(young) - 1 for _, young in persons)
    for name in series:
        some = sum(sums.reached[name, band] for band in wanted)
        for every, young in persons:
            # Counted with each record that has one; a dose in any of them is this person's.
            some += any(name in record.reached for record in every)
            some -= sum(name in record.reached for record in young)
        found.append(ZeroDose(name, children, children - some))
    return found


def _persons(ledger: Asked) -> dict[bytes, bytes]:
    """Return one record that stands for the person of each record that was linked."""
    found: dict[bytes, bytes] = {}
    for one in _linked(ledger):
        if one not in found:
            records = same_person(ledger.store.all, one)
            found.update(dict.fromkeys(records, min(records)))
    return found


def _linked(ledger: Asked) -> set[bytes]:
    return {
        bytes(one)
        for pair in ledger.store.all(
            "SELECT patient, other FROM link WHERE relation = 0 AND linked = 1 AND standing = 0"
            " AND replaced = 0"
        )
        for one in pair
    }


class DropOut(NamedTuple):
    """Who began a series and who finished it."""

    series: str
    last: int
    """Number of its last dose."""
    began: int
    finished: int

    @property
    def percent(self) -> float | None:
        """Of a hundred who began, how many have not had the last dose; None where nobody began."""
        return (self.began - self.finished) * 100 / self.began if self.began else None


def drop_out(ledger: Asked, several: Linked | None = None) -> list[DropOut]:
    """Return for each series of several doses how many persons had its first and its last.

    Wherever they were given, by the numbers their writers gave them: a combined dose has its number
    in each series it counts for. A person of several linked records counts once.

    Args:
        ledger: The book.
        several: What `linked` says, where it was asked already.
    """
    sums, found = of_children(ledger), []
    persons = linked(ledger) if several is None else several
    for series in _plan(ledger).schedule.series:
        numbers = [rule.number for rule in series.course[0].dose if rule.counted]
        if len(numbers) < 2:
            continue
        first, last = (
            sums.had[series.id, number]
            - sum(
                max(sum((series.id, number) in record.had for record in each) - 1, 0)
                for each in persons
            )
            for number in (numbers[0], numbers[-1])
        )
        found.append(DropOut(series.id, numbers[-1], first, last))
    return found


# pace


class Pace(NamedTuple):
    """How fast a session goes."""

    by_hour: tuple[tuple[int, int, int], ...]
    """(hour on its clocks since 1970-01-01 00:00, children by name, doses tallied)."""
    last_hour: int
    """Children and tallied doses within the last 60 minutes."""
    unplaced: int
    """Of these all that no clock places in time."""


def pace(ledger: Ledger, session: bytes, now_ms: int) -> Pace:
    """Return how many a team sees each hour, in the session's zone."""
    row = next(iter(sessions(ledger, session)), None)
    if row is None:
        return Pace((), 0, 0)
    span = span_of(row)
    seen: dict[bytes, int | None] = {}
    persons = _persons(ledger)
    for patient, at_ms, doubtful in ledger.store.all(
        "SELECT d.patient, min(d.at_ms), max(d.doubtful) FROM dose d WHERE d.session = ?"
        " AND d.standing = 0 AND d.replaced = 0 GROUP BY d.patient ORDER BY 2 DESC, 1",
        (bytes(session),),
    ):
        who = persons.get(bytes(patient), bytes(patient))
        seen[who] = span.moment(at_ms, doubtful=bool(doubtful))
    events = [(at_ms, 1, 0) for at_ms in seen.values()]
    events += [
        (span.moment(at_ms, doubtful=bool(doubtful)), 0, n)
        for at_ms, doubtful, n in ledger.store.all(
            "SELECT at_ms, doubtful, n FROM tally WHERE session = ? AND intervention = ''"
            " AND standing = 0 AND replaced = 0",
            (bytes(session),),
        )
    ]
    hours: dict[int, list[int]] = {}
    last, unplaced = 0, 0
    for at_ms, children, tallied in events:
        if at_ms is None:
            unplaced += children + tallied
            continue
        held = hours.setdefault(local_hour(span.offsets, at_ms), [0, 0])
        held[0] += children
        held[1] += tallied
        if now_ms - HOUR_MS < at_ms <= now_ms:
            last += children + tallied
    by_hour = tuple((hour, held[0], held[1]) for hour, held in sorted(hours.items()))
    return Pace(by_hour, last, unplaced)
