"""Results of devices that wait for a patient (SAFETY 15), each of one or several values."""

from __future__ import annotations

from protocols.ledger.book import Ledger
from protocols.ledger.store import Store
from protocols.records.history import History
from protocols.records.observation import ObservationRecord
from protocols.records.shape import Fact

RESULTS_MAX = 100
"""Results listed; more are counted, and come up as those before them get their patient."""

_WAITING = """
FROM subject s JOIN observation o ON o.subject = s.no
WHERE s.kind = 3 AND o.unassigned = 1 AND o.replaced = 0"""


def count(store: Store) -> int:
    """Return how many results wait."""
    row = store.one(f"SELECT count(DISTINCT o.subject) {_WAITING}")
    return int(row[0]) if row else 0


def waiting(ledger: Ledger, limit: int) -> list[tuple[History, list[Fact]]]:
    """Return the results that wait, the longest first, with their values in order."""
    found = []
    for (subject,) in ledger.store.all(
        f"SELECT s.id {_WAITING} GROUP BY s.no ORDER BY min(o.at_ms), s.id LIMIT ?",
        (min(limit, RESULTS_MAX),),
    ):
        facts = ledger.merger.facts_of(_number(ledger, subject))
        history = History(subject, facts)
        values = [
            fact
            for fact in facts
            if isinstance(fact.record, ObservationRecord) and not history.replaced(fact)
        ]
        if values:
            found.append((history, sorted(values, key=lambda fact: (fact.entry, fact.index))))
    return found


def _number(ledger: Ledger, subject: bytes) -> int:
    row = ledger.store.one("SELECT no FROM subject WHERE id = ?", (subject,))
    assert row is not None
    return int(row[0])
