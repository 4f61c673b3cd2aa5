"""Recalls: what every store holds and gave of a recalled lot, and who received it."""

from __future__ import annotations

from typing import NamedTuple

from protocols.guidelines.items import Items, shipped_items
from protocols.ledger.book import Ledger
from protocols.ledger.store import Store
from protocols.ledger.view import BookView

RECALLS_MAX = 200
RECIPIENTS_MAX = 20_000
"""Patients of one recall that are told of; the rest is counted."""


_OF_LOT = "subject IN (SELECT subject FROM balance WHERE item = ? AND lot = ?) AND lot = ?"
"""Whatever of a lot counts has a balance, and there are far fewer balances than movements."""


class Recall(NamedTuple):
    """One recall that holds."""

    recall: bytes
    entry: int
    idx: int
    prefix: bytes
    """With `idx` how other records name it."""
    item: str
    lot: str
    level: str
    why: str
    issuer: str
    text: str
    at_ms: int


class Answer(NamedTuple):
    """What one store says to a recall: holds so many, gave so many."""

    store: bytes
    low: int
    high: int
    quarantined: bool
    received: int
    """From outside and from other stores."""
    gave: int
    """To wards, teams and patients, less what came back."""
    sent: int
    """To other stores."""
    lost: int
    last_ms: int
    """Of the newest record it follows from: how old the answer is."""


class Recipient(NamedTuple):
    """Somebody who received of it."""

    patient: bytes
    at_ms: int
    how: str
    """`dispensed` or `vaccinated`."""
    units: int


def recalls(store: Store, limit: int = RECALLS_MAX) -> list[Recall]:
    """Return the recalls that hold, the newest first."""
    found = store.all(
        "SELECT r.recall, r.entry, r.idx, substr(e.hash, 1, 16), r.item, r.lot, r.level, r.why,"
        " r.issuer, r.text, r.at_ms FROM recall r JOIN entry e ON e.arrival = r.entry"
        " WHERE r.standing = 0 AND r.replaced = 0 ORDER BY r.at_ms DESC, r.recall LIMIT ?",
        (min(limit, RECALLS_MAX),),
    )
    return [Recall(*row) for row in found]


def answers(store: Store, item: str, lot: str) -> list[Answer]:
    """Return what each store that ever had anything to do with a lot says, by store."""
    moved = {
        row[0]: row[1:]
        for row in store.all(
            "SELECT store,"
            " coalesce(sum(CASE WHEN type = 'receive' THEN units END), 0),"
            " -coalesce(sum(CASE WHEN type IN ('issue', 'dispense', 'return') AND NOT ("
            " why = 'transfer' OR shipment IS NOT NULL) THEN units END), 0),"
            " -coalesce(sum(CASE WHEN type = 'issue' AND (why = 'transfer' OR shipment IS NOT NULL)"
            " THEN units END), 0),"
            " -coalesce(sum(CASE WHEN type = 'loss' THEN units END), 0), max(at_ms)"
            f" FROM movement WHERE {_OF_LOT} AND standing = 0 AND replaced = 0"
            " AND double = 0 GROUP BY store",
            (item, lot, lot),
        )
    }
    held = {
        row[0]: row[1:]
        for row in store.all(
            "SELECT store, low, high, quarantined, last_ms FROM balance WHERE item = ? AND lot = ?",
            (item, lot),
        )
    }
    found = []
    for place in sorted({*moved, *held}):
        received, gave, sent, lost, moved_ms = moved.get(place, (0, 0, 0, 0, 0))
        low, high, quarantined, held_ms = held.get(place, (0, 0, 0, 0))
        last_ms = max(moved_ms, held_ms)
        found.append(
            Answer(place, low, high, bool(quarantined), received, gave, sent, lost, last_ms)
        )
    return found


def recipients(ledger: Ledger, item: str, lot: str) -> list[Recipient]:
    """Return who is known to have received of a lot, each once for each way, by patient.

    Dispensed from a store, or vaccinated from a vial of it, or with its diluent. Whoever received
    it where no patient was named, as on a ward, is not among them.
    """
    store = ledger.store
    found = store.all(
        "SELECT patient, min(at_ms), 'dispensed', -sum(units) FROM movement"
        f" WHERE {_OF_LOT} AND patient IS NOT NULL AND standing = 0 AND replaced = 0"
        " GROUP BY patient HAVING sum(units) < 0 LIMIT ?",
        (item, lot, lot, RECIPIENTS_MAX),
    )
    row = catalogue(ledger).by_code().get(item)
    if row is not None and (row.vaccine or row.form == "diluent"):
        column = "d.diluent_lot = ?" if row.form == "diluent" else "d.vaccine = ? AND d.lot = ?"
        values = (lot,) if row.form == "diluent" else (row.vaccine, lot)
        found += store.all(
            "SELECT d.patient, min(d.at_ms), 'vaccinated', count(*) FROM dose d"
            f" WHERE {column} AND d.standing = 0 AND d.replaced = 0 AND d.status = 'given'"
            " GROUP BY d.patient LIMIT ?",
            (*values, RECIPIENTS_MAX),
        )
    return sorted(Recipient(bytes(who), *rest) for who, *rest in found)


def catalogue(ledger: Ledger) -> Items:
    """Return the catalogue this node works by."""
    found = BookView(ledger, 0).pack("items")
    return found if isinstance(found, Items) else shipped_items()
