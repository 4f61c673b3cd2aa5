"""What sessions gave or measured beside their vaccines, and what a child is due for: asked of rows.

Sums are of rows that stand and are current, so they are the same wherever the same is held. Two
that may be one are both counted, and said: what was taken from a store was taken twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from protocols.guidelines.interventions import (
    Age,
    Due,
    Intervention,
    Interventions,
    due,
    shipped_interventions,
)
from protocols.guidelines.verdicts import Born
from protocols.ids import PatientId
from protocols.ledger import packs, reading, stores
from protocols.ledger.book import Ledger
from protocols.ledger.coverage import Asked, sessions, span_of, within
from protocols.ledger.oneperson import same_person
from protocols.records.beside import days_had
from protocols.records.history import History
from protocols.records.movement import stock_subject
from protocols.records.session import SessionRow, interventions_of

CURRENT = "standing = 0 AND replaced = 0"


class Count(NamedTuple):
    """Interventions that are alike."""

    session: bytes
    code: str
    band: int
    sex: int
    day: int | None
    """In the session's zone, since 1970-01-01; None: no clock that could be right says."""
    number: int
    tallied: bool
    """Whether they were counted in crowd mode, and are of nobody by name."""
    twice: int = 0
    """Of these, records that may be of one given twice, or of one alone."""


def pack_in_use(ledger: Ledger) -> Interventions:
    """Return the pack of interventions that this node works by."""
    found = packs.works_by(ledger, "interventions")
    return found if isinstance(found, Interventions) else shipped_interventions()


def counts(ledger: Asked, session: bytes | None = None) -> list[Count]:
    """Return what sessions came to beside their vaccines, in a stable order.

    Args:
        ledger: The book.
        session: One of them; None: all.
    """
    known = {bytes(row.id): span_of(row) for row in sessions(ledger, session)}
    where, asked = ("", ()) if session is None else (" AND session = ?", (bytes(session),))
    rows = [
        (*row, 0)
        for row in ledger.store.all(
            "SELECT session, code, band, sex, day, count(*), sum(duplicate) FROM intervention"
            f" WHERE status = 'given' AND {CURRENT}{where} GROUP BY 1, 2, 3, 4, 5",
            asked,
        )
    ]
    rows += [
        (*row, 0, 1)
        for row in ledger.store.all(
            "SELECT session, intervention, band, sex, day, sum(n) FROM tally"
            f" WHERE intervention <> '' AND {CURRENT}{where} GROUP BY 1, 2, 3, 4, 5",
            asked,
        )
    ]
    numbers: Counter[Count] = Counter()
    twice: Counter[Count] = Counter()
    for held, code, band, sex, day, number, doubled, tallied in rows:
        span = known.get(bytes(held))
        if span is None:
            continue
        kind = Count(bytes(held), code, band, sex, within(span, day), 0, bool(tallied))
        numbers[kind] += number
        twice[kind] += doubled
    found = [
        kind._replace(number=number, twice=twice[kind])
        for kind, number in numbers.items()
        if number
    ]
    return sorted(found, key=lambda each: tuple(repr(part) for part in each))


class Seen(NamedTuple):
    """Whom a session saw for an intervention, beside those who have a record of a dose in it."""

    children: int
    not_given: int
    """Records that say why nothing was given, of anybody."""


def seen(ledger: Ledger, session: bytes) -> Seen:
    """Return how many persons a session saw for interventions alone."""
    found = ledger.store.one(
        "SELECT count(DISTINCT CASE WHEN NOT EXISTS (SELECT 1 FROM dose d WHERE"
        " d.patient = i.patient AND d.session = ?1 AND d.standing = 0 AND d.replaced = 0)"
        " THEN i.patient END), coalesce(sum(i.status <> 'given'), 0)"
        " FROM intervention i WHERE i.session = ?1 AND i.standing = 0 AND i.replaced = 0",
        (bytes(session),),
    )
    return Seen(*found) if found else Seen(0, 0)


# one child


class Lot(NamedTuple):
    """A lot that a store has of an item."""

    store: bytes
    item: str
    lot: str


class Line(NamedTuple):
    """One intervention of a session for one person."""

    row: Intervention
    due: Due
    medicine: Age | None
    """What is given; None where that is unsure, and where something is measured."""
    lot: Lot | None
    """Where it is taken from: of the lots that may be given out the first to expire; None: the
    session has no store, or its store has none of it."""
    stop: str = ""
    """Why nobody may be given of what the store has, where it has no other; the worst is said."""


def of_person(ledger: Ledger, patient: PatientId) -> list[History]:
    """Return all that is known of somebody, in every record that people linked."""
    records = same_person(ledger.store.all, bytes(patient))
    return [History(PatientId(one), reading.facts(ledger, one)) for one in records]


def of_session(
    ledger: Ledger, held: SessionRow, histories: Sequence[History], born: Born, on_day: int
) -> list[Line]:
    """Return what a pack says of each intervention of a session for one person.

    Args:
        ledger: The book.
        held: The session.
        histories: As `of_person`; none of somebody new.
        born: As far as it is known.
        on_day: There, since 1970-01-01.
    """
    pack, items = pack_in_use(ledger), stores.catalogue(ledger)
    recalled = stores.recalled(ledger)
    lines = []
    for code in interventions_of(held):
        row = pack.of_code(code)
        if row is None:
            continue
        told = due(row, born, on_day, days_had(histories, row, items))
        ages = () if row.measure or told.state == "unsure" else told.ages
        lots = [(each, _lot(ledger, held.store, each.item, on_day, recalled)) for each in ages]
        first = next((pair for pair in lots if pair[1] is not None), next(iter(lots), None))
        stop = "" if first is None or first[1] else _why_none(ledger, held, ages, recalled)
        medicine, lot = first or (None, None)
        lines.append(Line(row, told, medicine, lot, stop))
    return lines


def _lot(
    ledger: Ledger,
    store: bytes | None,
    item: str,
    on_day: int,
    recalled: frozenset[tuple[str, str]],
) -> Lot | None:
    if store is None or not item:
        return None
    found = ledger.store.all(
        "SELECT b.lot FROM balance b JOIN subject s ON s.no = b.subject WHERE s.id = ?"
        " AND b.lot <> '' AND b.low > 0 AND b.quarantined = 0"
        " AND (b.expiry_day IS NULL OR b.expiry_day >= ?)"
        " ORDER BY b.expiry_day IS NULL, b.expiry_day, b.lot",
        (bytes(stock_subject(bytes(store), item)), on_day),
    )
    lots = [lot for (lot,) in found if (item, lot) not in recalled]
    return Lot(bytes(store), item, lots[0]) if lots else None


def _why_none(
    ledger: Ledger, held: SessionRow, ages: Sequence[Age], recalled: frozenset[tuple[str, str]]
) -> str:
    """Return why a store that has something of it has none that may be given; '' = it has none."""
    found = set()
    for item in {each.item for each in ages if each.item} if held.store is not None else ():
        rows = ledger.store.all(
            "SELECT b.lot, b.quarantined FROM balance b JOIN subject s ON s.no = b.subject"
            " WHERE s.id = ? AND b.lot <> '' AND b.low > 0",
            (bytes(stock_subject(bytes(held.store or b""), item)),),
        )
        for lot, quarantined in rows:
            kept = "lot_quarantined" if quarantined else "lot_expired"
            found.add("lot_recalled" if (item, lot) in recalled else kept)
    order = ("lot_recalled", "lot_quarantined", "lot_expired")
    return next((why for why in order if why in found), "")


def stops(
    ledger: Ledger, held: SessionRow, items: Sequence[str], on_day: int
) -> list[tuple[str, str, str]]:
    """Return item, lot and why nobody may be given of it, of each that is stopped for a session.

    Args:
        ledger: The book.
        held: The session.
        items: What it gives out of stores.
        on_day: There, since 1970-01-01.
    """
    found: dict[tuple[str, str], str] = {}
    for item in items if held.store is not None else ():
        rows = ledger.store.all(
            "SELECT b.lot, b.quarantined FROM balance b JOIN subject s ON s.no = b.subject"
            " WHERE s.id = ? AND b.lot <> '' AND (b.quarantined <> 0 OR b.expiry_day < ?)",
            (bytes(stock_subject(bytes(held.store or b""), item)), on_day),
        )
        for lot, quarantined in rows:
            found[item, str(lot)] = "lot_quarantined" if quarantined else "lot_expired"
    # The worst is said: a lot that is recalled everywhere may be held back here beside that.
    found |= {pair: "lot_recalled" for pair in stores.recalled(ledger) if pair[0] in items}
    return [(*pair, why) for pair, why in sorted(found.items())]
