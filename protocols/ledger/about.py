"""All that is written about one patient, in whichever scope: care, protection and counts.

Nothing in care leads to a concern for a patient, and nothing in a count leads back to one. So only
who reads those scopes finds what is there; the others are told which scopes they cannot look into.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from protocols.ids import DocId, PatientId, ScopeId
from protocols.ledger.book import Ledger
from protocols.records.encounter import EncounterOpen
from protocols.records.shape import Sensitivity
from protocols.records.triage import TriageRecord


class Whole(NamedTuple):
    """What is known here of the documents about some patients."""

    documents: tuple[DocId, ...]
    """Those in scopes that this device coordinates, sorted; all, where it coordinates none."""
    beyond: int
    """Further ones, in scopes that this device reads and does not coordinate."""
    unread: tuple[str, ...]
    """Names of scopes beside care that this device does not read: what is there is not known."""


def whole(ledger: Ledger, patients: Iterable[PatientId]) -> Whole:
    """Return what this device may decide about of all that concerns these patients."""
    found = {each for patient in patients for each in documents_about(ledger, patient)}
    authority = ledger.authority
    own = {
        each
        for each, scope in scopes_of(ledger, found).items()
        if scope is not None and authority.roster.may_rotate(authority.device, scope)
    }
    return Whole(tuple(sorted(own or found)), len(found - own) if own else 0, unread(ledger))


def documents_about(ledger: Ledger, patient: PatientId) -> list[DocId]:
    """Every document that concerns a patient and is open here, in every scope.

    Those about the patient, those of results that were given to the patient, the concerns for the
    patient's safety, and what the patient's encounters are counted as.
    """
    found = ledger.store.all(
        "SELECT d.doc_id FROM document d JOIN subject s ON s.no = d.subject WHERE s.id = :id"
        " UNION SELECT d.doc_id FROM document d WHERE d.subject IN (SELECT o.subject"
        " FROM observation o JOIN subject r ON r.no = o.subject"
        " WHERE r.kind = 3 AND o.patient = :id)"
        " UNION SELECT d.doc_id FROM document d WHERE d.subject IN (SELECT p.subject"
        " FROM protection p WHERE p.patient = :id)",
        {"id": bytes(patient)},
    )
    counted = [each for as_whom in _counted_as(ledger, patient) for each in _of(ledger, as_whom)]
    return sorted({DocId(doc_id) for (doc_id,) in found} | set(counted))


def beside_erased(ledger: Ledger, erased: Iterable[bytes]) -> list[DocId]:
    """Concerns for, and counts of, patients that are erased: they came after the erase."""
    return [
        document
        for patient in erased
        for document in documents_about(ledger, PatientId(patient))
        if document != patient
    ]


def scopes_of(ledger: Ledger, documents: Collection[DocId]) -> dict[DocId, ScopeId | None]:
    """Return the operation's scope that each of these documents lies in."""
    roster = ledger.authority.roster
    found: dict[DocId, ScopeId | None] = {}
    for document in documents:
        row = ledger.store.one(
            "SELECT e.feed FROM entry e JOIN document d ON d.no = e.doc"
            " WHERE e.arrival = ? AND d.doc_id = ?",
            (ledger.chain.names.find(document), document),
        )
        genesis = ledger.chain.by_no[row[0]].genesis if row else None
        scope = roster.scope_of(ScopeId(genesis.scope), genesis.device) if genesis else None
        found[document] = scope
    return found


def unread(ledger: Ledger) -> tuple[str, ...]:
    """Names of the scopes of protection and of counts that this device has no key of."""
    authority = ledger.authority
    charter = authority.roster.charter
    return tuple(
        scope.name
        for scope in (charter.scopes if charter else ())
        if scope.sensitivity != Sensitivity.IDENTIFIED
        and not authority.keyring.heads(ScopeId(scope.id))
    )


def _counted_as(ledger: Ledger, patient: PatientId) -> set[bytes]:
    row = ledger.store.one("SELECT no FROM subject WHERE id = ?", (bytes(patient),))
    facts = ledger.merger.facts_of(row[0]) if row else []
    named = (
        fact.record.counted
        for fact in facts
        if isinstance(fact.record, EncounterOpen | TriageRecord)
    )
    return {counted for counted in named if counted is not None and len(counted) == len(patient)}


def _of(ledger: Ledger, subject: bytes) -> list[DocId]:
    """Documents of a counted subject; a name that leads to anything else leads nowhere."""
    found = ledger.store.all(
        "SELECT d.doc_id FROM document d JOIN subject s ON s.no = d.subject"
        " WHERE s.id = ? AND s.kind = 4",
        (subject,),
    )
    return [DocId(doc_id) for (doc_id,) in found]
