"""Counts: what the aggregate scope has to be told after a record, and what it adds up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

from protocols.errors import LedgerError
from protocols.ids import DeviceId, DocId, EncounterId, SiteId
from protocols.ledger.book import Ledger
from protocols.ledger.store import Store
from protocols.ledger.writing import Written
from protocols.records.attributes import Category
from protocols.records.counted import (
    IDENTITY,
    EncounterCounted,
    bears_on,
    restated,
    states,
    states_of,
)
from protocols.records.encounter import OUTCOMES, EncounterRow
from protocols.records.patient import PatientRow
from protocols.records.shape import Draft, Fact, Plan, Statement, SubjectKind
from protocols.records.suppressed import Left, leaving
from protocols.trust.charter import Sensitivity

PROPERTIES = ("day", "site", "band", "sex", "category", "outcome")
"""What encounters are counted by, each alone: columns of the `counted` rows."""
UNSTATED = "unstated"
UNKNOWN_LAW = "?"
"""Of devices without a standing certificate: nobody's own."""


class Tally(NamedTuple):
    """How many encounters are alike."""

    day: int
    """Days since 1970-01-01, UTC."""
    site: bytes | None
    band: int
    sex: int
    category: int | None
    outcome: int | None
    encounters: int


def writes(ledger: Ledger, sensitivity: Sensitivity) -> bool:
    """Whether this device has a scope for what is so sensitive, and a key to write in it."""
    try:
        ledger.authority.writable_scope(sensitivity)
    except LedgerError:
        return False
    return True


def due(ledger: Ledger, planned: Plan, written: Sequence[Written]) -> Plan:
    """Return what the aggregate scope lacks after this was written; nothing where there is none.

    Read from the whole patient, so that a correction or a retraction is followed like a record.
    """
    subjects = sorted({each.subject for each in written if each.subject is not None})
    stays = [each for subject in subjects for each in known_states(ledger, subject)]
    if not stays or not writes(ledger, Sensitivity.AGGREGATE):
        return Plan(())
    bearing = {
        each.encounter
        for draft, each in zip(planned.drafts, written, strict=True)
        if bears_on(draft)
    }
    drafts = []
    for stay, counted, state in stays:
        draft = restated(counted, state, _facts(ledger, counted), anew=stay in bearing)
        if draft is not None:
            drafts.append(draft)
    return Plan(tuple(drafts))


def may_bear_on(ledger: Ledger, draft: Draft, now_ms: int) -> bool:
    """Whether what encounters are counted by may be another once this is written."""
    if bears_on(draft):
        return True
    found = None if draft.subject is None else ledger.merger.subject(draft.subject)
    if found is None or not ledger.merger.may_have(found[0], EncounterRow):
        return False
    if any(fact.kind in IDENTITY for fact in draft.facts):
        return True
    if draft.encounter is None:
        return False
    row = ledger.store.one(
        "SELECT opened_ms FROM encounter WHERE subject = ? AND id = ? AND replaced = 0",
        (found[0], bytes(draft.encounter)),
    )
    # One that nobody opened begins with the first thing said in it, and one in error is none
    # no longer.
    return row is None or any(_when(fact.value, now_ms) < row[0] for fact in draft.facts)


def _when(said: Statement, now_ms: int) -> int:
    at_s = said.circumstances.at_s if said.circumstances else None
    return now_ms if at_s is None else at_s * 1000


def known_states(
    ledger: Ledger, subject: DocId
) -> list[tuple[EncounterId, DocId, EncounterCounted]]:
    """Return what is to be known of each encounter of a subject, if it is a patient.

    What was just written has its rows at hand: nothing is worked out of the facts again.
    """
    found = ledger.merger.subject(subject)
    if found is None or found[1] != SubjectKind.PATIENT:
        return []
    stays = ledger.rows.at_hand(found[0], EncounterRow)
    person = ledger.rows.at_hand(found[0], PatientRow)
    if stays is None or not person:
        return states(subject, ledger.merger.facts_of(found[0]))
    return states_of(stays, person[0], ledger.merger.facts_of(found[0])) if stays else []


def tallies(store: Store) -> list[Tally]:
    """Return how many encounters there are of each kind, of those that count; in a stable order."""
    return [
        Tally(*row)
        for row in store.all(
            "SELECT day, site, band, sex, category, outcome, count(*) FROM counted"
            " WHERE standing = 0 AND replaced = 0 AND in_error = 0 GROUP BY 1, 2, 3, 4, 5, 6"
            " ORDER BY 1, 2, 3, 4, 5, 6"
        )
    ]


class Counts(NamedTuple):
    """What is counted under one law, as whoever holds this device may be told."""

    jurisdiction: str
    """ISO country code of the devices that founded the counts; '' where they name none."""
    home: bool
    """Of this device's own jurisdiction: nothing is left out."""
    left: Left


def counts(ledger: Ledger) -> list[Counts]:
    """Return what is counted, by the law it was written under, this device's own first.

    Counts of another jurisdiction are those that may leave it, `records.suppressed`.
    """
    home = _law(ledger, ledger.authority.device)
    founders = _founders(ledger)
    found: dict[str, list[tuple[object, ...]]] = {}
    for subject, *row in ledger.store.all(
        "SELECT subject, day, site, band, sex, category, outcome FROM counted"
        " WHERE standing = 0 AND replaced = 0 AND in_error = 0 ORDER BY subject"
    ):
        found.setdefault(founders.get(subject, UNKNOWN_LAW), []).append(tuple(row))
    return [
        Counts(law, law == home, _left(found[law], whole=law == home))
        for law in sorted(found, key=lambda law: (law != home, law))
    ]


def stays(ledger: Ledger, entries: Collection[int]) -> set[int]:
    """Return those of these entries that count an encounter of another jurisdiction.

    Args:
        entries: Arrivals of entries that `counted` rows stem from.
    """
    home, founders = _law(ledger, ledger.authority.device), _founders(ledger)
    subjects = dict(ledger.store.all("SELECT entry, subject FROM counted"))
    return {entry for entry in entries if founders.get(subjects.get(entry, 0), UNKNOWN_LAW) != home}


def _left(rows: Sequence[tuple[object, ...]], *, whole: bool) -> Left:
    margins: dict[str, Counter[int | str]] = {name: Counter() for name in PROPERTIES}
    for row in rows:
        for name, value in zip(PROPERTIES, row, strict=True):
            margins[name][_told(name, value)] += 1
    if whole:
        return Left(len(rows), {name: dict(cells) for name, cells in margins.items()})
    return leaving(margins)


def _told(name: str, value: object) -> int | str:
    if isinstance(value, bytes):
        return str(SiteId(value))
    if name == "category" and isinstance(value, int):
        return Category(value).name.lower() if value in set(Category) else UNSTATED
    if name == "outcome" and isinstance(value, int):
        return OUTCOMES[value][0] if 0 <= value < len(OUTCOMES) else UNSTATED
    return value if isinstance(value, int) else UNSTATED


def _founders(ledger: Ledger) -> dict[int, str]:
    """Return under which law each counted subject's first document was founded."""
    documents = dict(
        ledger.store.all(
            "SELECT d.doc_id, min(d.subject) FROM document d JOIN subject s ON s.no = d.subject"
            " WHERE s.kind = 4 GROUP BY d.doc_id"
        )
    )
    arrivals = ledger.chain.names.find_all(list(documents))
    feeds = dict(
        ledger.store.all(
            "SELECT e.arrival, e.feed FROM entry e JOIN document d ON d.no = e.doc"
            " JOIN subject s ON s.no = d.subject WHERE s.kind = 4"
        )
    )
    laws: dict[int, str] = {}
    for document, subject in sorted(documents.items()):
        feed = feeds.get(arrivals.get(document, 0))
        if feed is not None:
            laws.setdefault(subject, _law(ledger, ledger.chain.by_no[feed].genesis.device))
    return laws


def _law(ledger: Ledger, device: DeviceId) -> str:
    member = ledger.authority.roster.device(device)
    return member.jurisdiction if member else UNKNOWN_LAW


def _facts(ledger: Ledger, subject: DocId) -> list[Fact]:
    found = ledger.merger.subject(subject)
    return ledger.merger.facts_of(found[0]) if found else []
