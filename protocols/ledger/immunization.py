"""A child's doses and what is due, and records that may be of one dose: worked out when asked for.

Whether a dose counts is in no row: the schedule in use says it, so a new pack judges old doses too.
A person of several linked records has the doses of all of them.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

from protocols.guidelines.immunization import (
    Barred,
    Born,
    Forecast,
    NextVisit,
    Terms,
    Verdict,
    forecast,
    next_visit,
    validate,
)
from protocols.guidelines.schedules import Plan
from protocols.ids import EntryPrefix, FactRef, PatientId
from protocols.ledger import reading
from protocols.ledger.book import Ledger
from protocols.ledger.oneperson import same_person
from protocols.ledger.view import BookView
from protocols.records.decision import VERDICTS
from protocols.records.dose import DoseRow
from protocols.records.doubling import doubts_of
from protocols.records.history import History
from protocols.records.immune import barred_of, best_birth, given_on
from protocols.records.shape import columns
from protocols.records.vaccination import immunization

CANDIDATES_MAX = 500
"""Persons of one list of doses that may be one."""
DOSES_MAX = 64
"""Doses of one person that are judged; nobody had as many."""

GIVEN = "d.status = 'given' AND d.standing = 0 AND d.replaced = 0"
"""Doses that somebody had, whatever was decided of them."""

_NAMES = [name for name, _ in columns(DoseRow)]
_COLUMNS = ", ".join(f"d.{name}" for name in _NAMES)

# one person


class Dose(NamedTuple):
    """One record of a dose, with what it is for each series."""

    ref: FactRef
    row: DoseRow
    verdicts: tuple[Verdict, ...]
    """Empty where it was not given, stands for none, or nobody knows its day."""


class Child(NamedTuple):
    """What is known of somebody's doses, by the schedule in use."""

    born: Born
    barred: tuple[Barred, ...]
    doses: tuple[Dose, ...]
    """By day, those of no known day first."""
    due: tuple[Forecast, ...]
    """In the order of the pack."""
    next_visit: NextVisit | None
    schedule: str
    """Name and version of the pack."""
    vaccines: str
    approved: bool
    """Whether a clinical lead stands by the schedule."""
    spare: frozenset[FactRef] = frozenset()
    """Records of doses that stand beside a counted one."""


def child(
    ledger: Ledger,
    patient: PatientId,
    on_day: int,
    *,
    schedule: str = "",
    terms: Terms | None = None,
) -> Child:
    """Return somebody's doses and what they need on a day.

    Args:
        ledger: The book.
        patient: One of their records.
        on_day: There, counted from 1970-01-01.
        schedule: Name of the pack; '' is the routine one.
        terms: As a session has them, `session_terms`; None: as the pack has it.
    """
    plan = plan_in_use(ledger, schedule)
    records = same_person(ledger.store.all, bytes(patient))
    histories = [History(PatientId(one), reading.facts(ledger, one)) for one in records]
    born = best_birth(histories, on_day)
    barred = tuple(sorted({each for history in histories for each in barred_of(history)}))
    held = doses_of(ledger, records)
    spare = not_counted(ledger, records)
    given = [
        given_on(str(ref), row.vaccine, days)
        for ref, row in held
        if row.status == "given" and not (row.standing or row.replaced)
        and (days := _days(row)) is not None and ref not in spare
    ][:DOSES_MAX]  # fmt: skip
    asked = (terms or Terms())._replace(barred=barred)
    judged = validate(given, born, plan, asked)
    near = asked._replace(
        live_days=_may_be_live(plan, held, spare - _decided_spare(ledger, records))
    )
    due = forecast(given, born, on_day, plan, near)
    head = plan.schedule.pack
    return Child(
        born,
        barred,
        tuple(
            Dose(ref, row, tuple(each for each in judged if each.key == str(ref)))
            for ref, row in held
        ),
        due,
        next_visit(due, on_day),
        f"{head.name} {head.version}",
        f"{plan.reasons_from.name} {plan.reasons_from.version}",
        bool(head.approved_by),
        frozenset(spare),
    )


def _may_be_live(
    plan: Plan, held: Sequence[tuple[FactRef, DoseRow]], doubted: Container[FactRef]
) -> tuple[int, ...]:
    """Return the last days on which live vaccines may have been given that nobody decided of.

    They count for nothing yet, and may be in the child all the same.
    """
    return tuple(
        days[1]
        for ref, row in held
        if ref in doubted
        and row.vaccine in plan.vaccines
        and plan.vaccines[row.vaccine].kind == "live"
        and (days := _days(row)) is not None
    )


def plan_in_use(ledger: Ledger, schedule: str = "") -> Plan:
    """Return the schedule and the vaccines that this node works by.

    Raises:
        InputError: `bad_value`: there is no schedule of this name.
    """
    return immunization(BookView(ledger, 0), schedule)


def doses_of(ledger: Ledger, patients: Sequence[bytes]) -> list[tuple[FactRef, DoseRow]]:
    """Return every record of a dose of some patients, by day and then in display order."""
    marks = ",".join("?" * len(patients))
    found = ledger.store.all(
        f"SELECT {_COLUMNS}, e.hash FROM dose d JOIN entry e ON e.arrival = d.entry"
        f" WHERE d.patient IN ({marks})",
        tuple(patients),
    )
    rows = [
        (
            FactRef(EntryPrefix(each[-1][:16]), each[_NAMES.index("idx")]),
            DoseRow(**dict(zip(_NAMES, each, strict=False))),
        )
        for each in found
    ]
    return sorted(rows, key=lambda one: ((_days(one[1]) or (0,))[0], one[1].at_ms, one[0]))


def _days(row: DoseRow) -> tuple[int, int] | None:
    """Return the first and the last day a dose may have been given; None: nobody knows."""
    if row.day is not None:
        return row.day, row.day
    if row.first_day is None or row.last_day is None:
        return None
    return row.first_day, row.last_day


# records that may be of one dose


class Doubled(NamedTuple):
    """Records of doses of one person that may be of one dose, or were given too close."""

    patients: tuple[PatientId, ...]
    """The records they are in: several where people linked them."""
    series: str
    doses: tuple[FactRef, ...]
    """By day; the first is counted meanwhile."""
    rows: tuple[DoseRow, ...]
    why: str
    """`one-number`: both say to be the same dose; `close`: nearer than the series allows."""


def doubled(ledger: Ledger, limit: int = CANDIDATES_MAX) -> list[Doubled]:
    """Return records that may be of one dose and of which nobody has decided yet.

    Listed are doses of one series given by people who knew nothing of each other's record, in one
    patient's record or in several that are linked, each beside the one that is counted. They stay
    in the book whatever is decided, and count once until then.
    """
    plan = plan_in_use(ledger)
    found = []
    for person in _suspects(ledger.store.all):
        found += _doubled(ledger, plan, person)
        if len(found) >= limit:
            break
    return sorted(found, key=lambda each: (each.rows[0].at_ms, each.doses))[:limit]


def not_counted(
    ledger: Ledger, patients: Sequence[bytes] | None = None, *, session: bytes | None = None
) -> set[FactRef]:
    """Return records of doses that are in no total: each stands beside one that is counted.

    Args:
        ledger: The book.
        patients: Of one person only; None: of everybody.
        session: At least those of it: a drive does not look through all doubts there are.
    """
    plan, ask = plan_in_use(ledger), ledger.store.all
    persons = [list(patients)] if patients is not None else list(_suspects(ask, session))
    persons += [] if patients is not None else _decided_persons(ledger)
    found: set[FactRef] = set()
    for person in persons:
        found |= _decided_spare(ledger, person)
        for each in _doubled(ledger, plan, person):
            found |= set(each.doses[1:])
    return found


class Doubts(NamedTuple):
    """What is known of doses that may be one, of some persons."""

    doubled: tuple[Doubled, ...]
    spare: frozenset[FactRef]
    """As `not_counted` has them."""


def doubts(ledger: Ledger, persons: Iterable[Sequence[bytes]]) -> Doubts:
    """Return what `doubled` and `not_counted` say of some persons, each read once.

    Args:
        ledger: The book.
        persons: The records of each, as `in_doubt` has them.
    """
    plan, asked = plan_in_use(ledger), [tuple(person) for person in persons]
    found: list[Doubled] = []
    spare: set[FactRef] = set()
    held = _LOOKED_AT.setdefault(ledger, {})
    for person in asked:
        stands = _as_it_is(ledger, person)
        known = held.get(person)
        if known is None or not stands or known[:2] != (plan, stands):
            known = held[person] = (plan, stands, _doubts(ledger, plan, person))
            while len(held) > LOOKED_AT_MAX:
                del held[next(iter(held))]
        found += known[2].doubled
        spare |= known[2].spare
    return Doubts(tuple(found), frozenset(spare))


LOOKED_AT_MAX = 4_096
"""Persons of whom it is remembered what is in doubt, some kB each."""
_LookedAt = dict[tuple[bytes, ...], tuple[Plan, tuple[bytes, ...], Doubts]]
_LOOKED_AT: WeakKeyDictionary[Ledger, _LookedAt] = WeakKeyDictionary()
"""By a person's records: the schedule, what their rows added up to, and what was in doubt. To look
at one takes a millisecond, and HQ asks of all of them after every change of any."""


def _as_it_is(ledger: Ledger, person: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return what the rows of each record add up to; () while that is not known of one."""
    if ledger.sums.lost:
        return ()
    marks = ",".join("?" * len(person))
    found = ledger.store.all(
        f"SELECT no, rows_digest FROM subject WHERE id IN ({marks}) ORDER BY id", tuple(person)
    )
    if not all(held for _, held in found):
        return ()
    return tuple(ledger.sums.of(no, held) for no, held in found)


def _doubts(ledger: Ledger, plan: Plan, person: Sequence[bytes]) -> Doubts:
    doubled = _doubled(ledger, plan, person)
    spare = _decided_spare(ledger, person)
    spare.update(ref for each in doubled for ref in each.doses[1:])
    return Doubts(tuple(doubled), frozenset(spare))


def in_doubt(ledger: Ledger) -> list[list[bytes]]:
    """Return the records of each person of whom two doses may be one, or somebody decided it."""
    found = {tuple(each): None for each in _suspects(ledger.store.all)}
    found |= {tuple(each): None for each in _decided_persons(ledger)}
    return [list(each) for each in found]


def _suspects(ask: object, session: bytes | None = None) -> Iterable[list[bytes]]:
    """Yield the records of each person in which two doses may be one.

    With a session, of each who had one in it.
    """
    assert callable(ask)
    seen: set[bytes] = set()
    asked, had = () if session is None else (bytes(session),), ""
    if session is not None:
        had = " AND EXISTS (SELECT 1 FROM dose s WHERE s.patient = d.patient AND s.session = ?1)"
    of_session = " AND d.session = ?1" if session is not None else ""
    for (patient,) in ask(
        "SELECT d.patient FROM dose d WHERE d.apart = 1 AND d.standing = 0 AND d.replaced = 0"
        f"{had} UNION SELECT l.patient FROM link l WHERE l.relation = 0 AND l.linked = 1"
        " AND l.standing = 0 AND l.replaced = 0"
        f" AND EXISTS (SELECT 1 FROM dose d WHERE d.patient IN (l.patient, l.other){of_session})"
        " ORDER BY 1",
        asked,
    ):
        if bytes(patient) not in seen:
            person = same_person(ask, bytes(patient))
            seen.update(person)
            yield sorted(person)


def _decided_persons(ledger: Ledger) -> list[list[bytes]]:
    return [
        sorted(same_person(ledger.store.all, bytes(patient)))
        for (patient,) in ledger.store.all(
            "SELECT DISTINCT patient FROM dose_decision WHERE standing = 0 AND replaced = 0"
            " ORDER BY 1"
        )
    ]


def _decided_spare(ledger: Ledger, person: Sequence[bytes]) -> set[FactRef]:
    """Return records that another one was decided to stand for, unless two who decided differ.

    A decision over linked records says nothing of one that was unlinked since: it is of somebody
    else.
    """
    said: dict[FactRef, set[str]] = {}
    for verdict, refs in _decisions(ledger, person):
        for at, ref in enumerate(refs):
            state = "own" if verdict == VERDICTS[1] else "spare" if at else "kept"
            said.setdefault(ref, set()).add(state)
    found = {ref for ref, states in said.items() if states == {"spare"}}
    return found & {ref for ref, _ in doses_of(ledger, person)} if found else found


def _decisions(ledger: Ledger, person: Sequence[bytes]) -> list[tuple[str, list[FactRef]]]:
    marks = ",".join("?" * len(person))
    return [
        (verdict, _references(doses))
        for verdict, doses in ledger.store.all(
            f"SELECT verdict, doses FROM dose_decision WHERE patient IN ({marks})"
            " AND standing = 0 AND replaced = 0 ORDER BY at_ms, entry, idx",
            tuple(person),
        )
    ]


def _doubled(ledger: Ledger, plan: Plan, person: Sequence[bytes]) -> list[Doubled]:
    held = {
        ref: row
        for ref, row in doses_of(ledger, person)
        if row.status == "given" and not (row.standing or row.replaced)
    }
    if len(held) < 2:
        return []
    histories = [History(PatientId(one), reading.facts(ledger, one)) for one in person]
    return [
        Doubled(
            tuple(sorted({PatientId(held[fact.ref].patient) for fact in each.facts})),
            held[each.facts[0].ref].series,
            tuple(fact.ref for fact in each.facts),
            tuple(held[fact.ref] for fact in each.facts),
            each.why,
        )
        for each in doubts_of(histories, plan)
    ]


def _references(raw: bytes) -> list[FactRef]:
    return [
        FactRef(EntryPrefix(raw[at : at + 16]), int.from_bytes(raw[at + 16 : at + 18]))
        for at in range(0, len(raw) - 17, 18)
    ]
