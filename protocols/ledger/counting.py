"""Counts: what the aggregate scope has to be told after a record, and what it adds up to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from protocols.errors import LedgerError
from protocols.ids import DocId
from protocols.ledger.book import Ledger
from protocols.ledger.store import Store
from protocols.ledger.writing import Written
from protocols.records.counted import bears_on, restated, states
from protocols.records.shape import Fact, Plan, SubjectKind
from protocols.trust.charter import Sensitivity


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
    if not subjects or not writes(ledger, Sensitivity.AGGREGATE):
        return Plan(())
    bearing = {
        each.encounter
        for draft, each in zip(planned.drafts, written, strict=True)
        if bears_on(draft)
    }
    drafts = []
    for subject in subjects:
        kind, facts = _facts(ledger, subject)
        for stay, counted, state in states(subject, facts) if kind == SubjectKind.PATIENT else ():
            held = _facts(ledger, counted)[1]
            draft = restated(counted, state, held, anew=stay in bearing)
            if draft is not None:
                drafts.append(draft)
    return Plan(tuple(drafts))


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


def _facts(ledger: Ledger, subject: DocId) -> tuple[int, list[Fact]]:
    row = ledger.store.one("SELECT no, kind FROM subject WHERE id = ?", (subject,))
    return (row[1], ledger.merger.facts_of(row[0])) if row else (0, [])
