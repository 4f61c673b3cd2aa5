"""Who may be written down twice: found by names, tags and numbers, listed by how much is alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from protocols.ledger import reading, tags
from protocols.ledger.book import Ledger
from protocols.ledger.searching import search_query
from protocols.records.likeness import LISTED_FROM, Likeness, Person, likeness, person_of
from protocols.records.patient import PatientRow

CANDIDATES_MAX = 20
"""Records of one answer."""
LOOKED_AT_MAX = 400
"""Records compared for one answer: a name that half a camp bears is not looked at further."""
BEGINNING = 3
"""Letters of a name that are searched by, so that its end may be spelled otherwise."""


class Candidate(NamedTuple):
    """A record that may be of the same person."""

    row: PatientRow
    likeness: Likeness


def candidates(ledger: Ledger, patient: bytes, limit: int = CANDIDATES_MAX) -> list[Candidate]:
    """Return the records that look like a patient's, the likest first.

    Those that somebody has linked with it, or said to be of another person, are left out.
    """
    row = reading.patient(ledger, patient)
    if row is None:
        return []
    settled = _settled(ledger, bytes(patient)) | {bytes(patient)}
    return _alike(ledger, person_of(row), settled, limit)


def like(ledger: Ledger, person: Person, limit: int = CANDIDATES_MAX) -> list[Candidate]:
    """Return the records that look like somebody who is about to be written down."""
    return _alike(ledger, person, set(), limit)


def _alike(ledger: Ledger, person: Person, settled: set[bytes], limit: int) -> list[Candidate]:
    found = []
    for row in _looked_at(ledger, person):
        if row.id not in settled and row.replaced < 2:
            how = likeness(person, person_of(row))
            if how.points >= LISTED_FROM:
                found.append(Candidate(row, how))
    found.sort(key=lambda each: (-each.likeness.points, each.row.code, each.row.id))
    return found[: min(limit, CANDIDATES_MAX)]


def _looked_at(ledger: Ledger, person: Person) -> Iterable[PatientRow]:
    """Return whoever shares a beginning of a name, a tag or a number, each once."""
    rows: dict[bytes, PatientRow] = {}
    for carrier in tags.carriers(ledger.store, person.tag) if person.tag else ():
        row = reading.patient(ledger, carrier.patient)
        if row is not None:
            rows[row.id] = row
    words = [*sorted(person.numbers), *(name[:BEGINNING] for name in person.names)]
    for word in dict.fromkeys(words):
        if len(rows) >= LOOKED_AT_MAX:
            break
        if search_query(word):
            for row in reading.search(ledger, word, LOOKED_AT_MAX - len(rows)):
                rows.setdefault(row.id, row)
    return rows.values()


def _settled(ledger: Ledger, patient: bytes) -> set[bytes]:
    """Return whom somebody has linked with a patient as the same, or told apart, and stands by."""
    return {
        bytes(other)
        for (other,) in ledger.store.all(
            "SELECT other FROM link WHERE patient = ? AND relation = 0 AND standing = 0"
            " AND replaced = 0 UNION SELECT patient FROM link WHERE other = ? AND relation = 0"
            " AND standing = 0 AND replaced = 0",
            (patient, patient),
        )
    }
