"""Triage that nobody identified wrote: what waits for a person, and who stands by the rest.

What a later category supersedes, or what was entered in error, waits for nobody any more.
"""

from __future__ import annotations

from typing import NamedTuple

from protocols.ids import DeviceId, EntryPrefix, FactRef, PatientId
from protocols.ledger.authors import Author, Authors
from protocols.ledger.book import Ledger
from protocols.ledger.store import Store

UNCONFIRMED_MAX = 200
"""Entries listed; more are counted, and come up as those before them are confirmed."""
STOOD_BY_MAX = 20
"""Persons named for one triage."""

_WAITING = "FROM triage t WHERE t.unconfirmed = 1 AND t.standing = 0 AND t.replaced = 0"


class Unconfirmed(NamedTuple):
    """One triage that waits for a person, by what a tag on a wrist shows anybody: no name."""

    fact: FactRef
    patient: PatientId
    code: str
    tag: str
    category: int
    at_ms: int
    device: DeviceId
    """Where it was written."""


def count(store: Store) -> int:
    """Return how many entries wait."""
    row = store.one(f"SELECT count(*) {_WAITING}")
    return int(row[0]) if row else 0


def waiting(ledger: Ledger, limit: int) -> list[Unconfirmed]:
    """Return the entries that wait, the oldest first."""
    return [
        Unconfirmed(
            FactRef(EntryPrefix(prefix), index),
            PatientId(patient),
            code,
            tag,
            category,
            at_ms,
            ledger.chain.by_no[feed].genesis.device,
        )
        for prefix, index, patient, code, tag, category, at_ms, feed in ledger.store.all(
            "SELECT s.prefix, w.idx, p.id, p.code, CASE w.tag WHEN '' THEN p.tag ELSE w.tag END,"
            f" w.category, w.at_ms, s.feed FROM (SELECT t.* {_WAITING} ORDER BY t.at_ms LIMIT ?) w"
            " JOIN patient p ON p.subject = w.subject"
            " JOIN entry e ON e.arrival = w.entry"
            " JOIN strand s ON s.doc = e.doc AND s.entry = e.arrival"
            " ORDER BY w.at_ms, w.entry",
            (min(limit, UNCONFIRMED_MAX),),
        )
    ]


def stood_by(ledger: Ledger, patient: bytes, triage: FactRef) -> list[tuple[Author, int]]:
    """Return the persons who stand by a triage, with when they said so, oldest first."""
    held = ledger.store.all(
        "SELECT c.entry, c.at_ms FROM subject s JOIN triage_confirmed c ON c.subject = s.no"
        " WHERE s.id = ? AND c.confirms = ? AND c.counts = 1 ORDER BY c.at_ms, c.entry LIMIT ?",
        (patient, triage.entry + triage.index.to_bytes(2), STOOD_BY_MAX),
    )
    who = Authors(ledger).of_entries(entry for entry, _ in held)
    return [(who[entry], at_ms) for entry, at_ms in held]
